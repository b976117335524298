"""Every operation against what a real rest-server v1.8 answered, byte for byte what it was asked.

The replaying server answers only the recorded request: method, path, query and body.
"""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from openpai.core.rest import (
    authn,
    cluster,
    groups,
    history,
    jobs,
    storages,
    tasks,
    users,
    virtual_clusters,
)

RUN, RETRY = "alice~j_run", "alice~j_retry"
TASK = tasks.TaskAttempt(RUN, 0, "taskrole", 0, 0)


def path_of(recorded):
    """The last part of the recorded path."""
    return recorded["request"]["path"].rpartition("/")[2]


def query_of(recorded):
    """The recorded address as the server hands it out."""
    return f"{recorded['request']['path']}?{recorded['request']['query']}"


def body_of(recorded):
    """What was sent."""
    return recorded["request"]["body"]


# operation → (the call, what its answer must say)
CALLS = {
    "getClusterInfo": (
        lambda s, r: cluster.get_info(s),
        lambda a: (a.version, a.launcher_type, a.authn_method) == ("1.8.0", "k8s", "basic"),
    ),
    "authnInfo": (
        lambda s, r: cluster.get_authn_info(s),
        lambda a: (a.authn_type, a.login_method) == ("basic", "post"),
    ),
    "getTokens": (
        lambda s, r: [authn.TokenClaims.from_token(t) for t in authn.list_tokens(s)],
        lambda a: [(t.username, t.application) for t in a][-1] == ("alice", True),
    ),
    "deleteToken": (lambda s, r: authn.revoke_token(s, path_of(r)), lambda a: a is None),
    "createApplicationToken": (
        lambda s, r: authn.TokenClaims.from_token(authn.create_application_token(s)),
        lambda a: (a.application, a.expires_at) == (True, None),
    ),
    "basicLogin": (
        lambda s, r: authn.basic_login(s, "admin", "admin-password"),
        lambda a: (a.user, a.admin) == ("admin", True) and a.token.count(".") == 2,
    ),
    "basicLogout": (lambda s, r: authn.basic_logout(s), lambda a: a is None),
    "checkToken": (
        lambda s, r: authn.check_token(s),
        lambda a: (
            (a.username, a.admin) == ("alice", False)
            and a.expires_at == datetime.fromtimestamp(1795972437, timezone.utc)
        ),
    ),
    "createUser": (
        lambda s, r: users.create_user(
            s,
            "alice",
            "alice-password",
            email="alice@example.com",
            virtual_clusters=["vc1"],
            extension=body_of(r)["extension"],
        ),
        lambda a: a is None,
    ),
    "getAllUser": (
        lambda s, r: users.list_users(s),
        lambda a: a[0].username == "admin" and a[0].admin and "vc2" in a[0].virtual_clusters,
    ),
    "getUser": (
        lambda s, r: users.get_user(s, "alice"),
        lambda a: (a.username, a.groups) == ("alice", ("vc1", "default")),
    ),
    "updateUser": (
        lambda s, r: users.update_user(s, "bob", email="bob@example.com"),
        lambda a: a is None,
    ),
    "updateUserSelf": (
        lambda s, r: users.update_own_user(s, "carol", email="carol@example.com"),
        lambda a: a is None,
    ),
    "updateUserPassword": (
        lambda s, r: users.change_password(s, "carol", "carol-password", "carol-password3"),
        lambda a: a is None,
    ),
    "updateUserGroup": (
        lambda s, r: users.add_user_to_group(s, "carol", "vc1"),
        lambda a: a is None,
    ),
    "deleteUserGroup": (
        lambda s, r: users.remove_user_from_group(s, "carol", "vc2"),
        lambda a: a is None,
    ),
    "updateUserGrouplist": (
        lambda s, r: users.set_user_groups(s, "carol", ["default", "vc2"]),
        lambda a: a is None,
    ),
    "updateUserExtension": (
        lambda s, r: users.set_user_extension(s, "bob", {"color": "red"}),
        lambda a: a is None,
    ),
    "getAllGroup": (
        lambda s, r: groups.list_groups(s),
        lambda a: a[0].name == "admingroup" and a[0].admin and a[0].storages[0] == "nfs-storage",
    ),
    "getGroup": (
        lambda s, r: groups.get_group(s, "admingroup"),
        lambda a: a.virtual_clusters == ("default", "vc1", "vc2"),
    ),
    "createGroup": (
        lambda s, r: groups.create_group(
            s, "testgroup", description="d", extension=body_of(r)["extension"]
        ),
        lambda a: a is None,
    ),
    "updateGroup": (
        lambda s, r: groups.update_group(s, "testgroup", description="changed"),
        lambda a: a is None,
    ),
    "updateGroupExtension": (
        lambda s, r: groups.set_group_extension(
            s, "testgroup", ["acls", "virtualClusters"], ["vc2", "default"]
        ),
        lambda a: a is None,
    ),
    "deleteGroup": (lambda s, r: groups.delete_group(s, "testgroup"), lambda a: a is None),
    "getGroupMembers": (
        lambda s, r: groups.list_group_members(s, "default"),
        lambda a: (a[0].username, a[0].admin) == ("admin", True),
    ),
    "listVirtualClusters": (
        lambda s, r: virtual_clusters.list_virtual_clusters(s),
        lambda a: a["default"].used.cpu == 20 and a["default"].free.memory_mb >= 0,
    ),
    "getVirtualCluster": (
        lambda s, r: virtual_clusters.get_virtual_cluster(s, "default"),
        lambda a: 88 < a.capacity < 89 and a.free.gpu == a.guaranteed.gpu,
    ),
    "listNodeGpus": (
        lambda s, r: virtual_clusters.list_node_gpus(s),
        lambda a: (a["worker-0"].used, a["worker-0"].available, a["worker-0"].total) == (1, 3, 4),
    ),
    "getSkuTypes": (
        lambda s, r: virtual_clusters.list_sku_types(s, "vc1"),
        lambda a: (a["V100"].cpu, a["V100"].memory_mb, a["V100"].gpu) == (5, 56320, 1),
    ),
    "getStorages": (
        lambda s, r: storages.list_storages(s),
        lambda a: [i.share for i in a[:2]] == [True, False] and a[0].default,
    ),
    "getStorage": (
        lambda s, r: storages.get_storage(s, "smb-storage"),
        lambda a: a.type == "samba" and a.data["address"] == "//10.0.0.1/data",
    ),
    "createJob": (lambda s, r: jobs.submit_job(s, body_of(r)), lambda a: a is None),
    "listJobs": (
        lambda s, r: jobs.list_jobs(s),
        lambda a: a[0].debug_id and {j.username for j in a} > {"alice", "bob"},
    ),
    "countJobs": (lambda s, r: jobs.count_jobs(s, keyword="_", limit=2), lambda a: a > 10),
    "getJob": (
        lambda s, r: jobs.get_job(s, RUN),
        lambda a: (
            a.state == "RUNNING"
            and a.exit_code is None
            and [t.ports("ssh") for _, t in a.tasks()] == [[22328], [21547]]
        ),
    ),
    "getJob (attempt)": (
        lambda s, r: jobs.get_job(s, RETRY, 0),
        lambda a: (a.attempt_id, a.attempt_state) == (0, "FAILED"),
    ),
    "getJobConfig": (
        lambda s, r: jobs.get_config(s, "alice~j_secret"),
        lambda a: '"secrets": "******"' in a,
    ),
    "updateJobExecutionType": (
        lambda s, r: jobs.set_execution_type(s, "alice~j_stop", "STOP"),
        lambda a: a is None,
    ),
    "addTag": (lambda s, r: jobs.add_tag(s, RUN, "exp1"), lambda a: a is None),
    "deleteTag": (lambda s, r: jobs.delete_tag(s, RUN, "blue"), lambda a: a is None),
    "getEvents": (
        lambda s, r: jobs.list_events(s, RUN),
        lambda a: a[0].reason == "Scheduled" and a[0].last_time.tzinfo is not None,
    ),
    "getJobAttemptsHealthz": (lambda s, r: history.has_history(s, RETRY), lambda a: a is True),
    "getJobAttempts": (
        lambda s, r: history.list_attempts(s, RETRY),
        lambda a: [t.index for t in a] == [0, 1, 2] and a[-1].is_latest,
    ),
    "getJobAttempt": (
        lambda s, r: history.get_attempt(s, RETRY, 0),
        lambda a: (a.index, a.exit_phrase) == (0, "ContainerUnrecognizedFailed"),
    ),
    "getTask": (
        lambda s, r: tasks.get_task(s, "alice~j_taskretry", 0, "taskrole", 0),
        lambda a: (
            [t.attempt_id for t in a.attempts] == [0, 1]
            and a.attempts[0].container_exit_spec["reaction"] == "RETRY_TO_MAX"
        ),
    ),
    "getTaskLogs": (
        lambda s, r: tasks.log_locations(s, TASK),
        lambda a: a["stdout"].startswith("/log-manager/127.0.0.11:9103/"),
    ),
    "logContent": (
        lambda s, r: tasks.read_chunk(s, query_of(r), 5, 4),
        lambda a: a.data == b"1 of",
    ),
    "getK8sNodes": (
        lambda s, r: cluster.list_nodes(s),
        lambda a: a[0]["metadata"]["name"] == "worker-0",
    ),
    "getK8sPods": (
        lambda s, r: cluster.list_pods(
            s, namespace="default", labelSelector="type=kube-launcher-task"
        ),
        lambda a: a[0]["metadata"]["labels"]["userName"] == "alice",
    ),
    "getAlerts": (
        lambda s, r: cluster.list_alerts(s),
        lambda a: (a[1].job, a[1].username, a[0].starts_at.year) == ("x", "alice", 2026),
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_recorded_answer_is_parsed(operation, session, replay, recordings, operations):
    """The request is the recorded one and the answer says what it said."""
    call, says = CALLS[operation]
    recorded = replay(next(o["recording"] for o in operations if o["id"] == operation))
    assert says(call(session, recorded))


def test_recorded_operations_are_all_called(operations, recordings):
    """What the table calls recorded is tested here, or among the refusals below."""
    recorded = {o["id"] for o in operations if o["recording"] in recordings}
    assert recorded == {*CALLS, "deleteUser"}


def test_job_is_found_by_debug_id(session, replay):
    """The server takes the md5 name wherever user~job stands."""
    recorded = replay("259-getJob-by-debugId")
    assert jobs.get_job(session, path_of(recorded)).key == RUN
