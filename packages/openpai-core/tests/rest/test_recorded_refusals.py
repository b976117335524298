"""Refusals of a real rest-server v1.8: each becomes the class that the docstrings promise."""

from __future__ import annotations

import pytest

from openpai.core.errors import (
    ApiError,
    AuthenticationError,
    JobNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
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


def submit(session, recorded):
    """Submit the recorded text."""
    jobs.submit_job(session, recorded["request"]["body"])


REFUSALS = [
    (
        "014-basicLogin-wrong-password",
        lambda s, r: authn.basic_login(s, "admin", "wrong-password"),
        AuthenticationError,
    ),
    (
        "015-basicLogin-unknown-user",
        lambda s, r: authn.basic_login(s, "nobody", "whatever1"),
        NotFoundError,
    ),
    ("045-getUser-unknown", lambda s, r: users.get_user(s, "nobody"), NotFoundError),
    (
        "058-updateUserPassword-legacy-wrong-old",
        lambda s, r: users.change_password(s, "bob", "bad-password", "xxxxxxxx"),
        PermissionDeniedError,
    ),
    (
        "060-updateUserGrouplist-unknown-group",
        lambda s, r: users.set_user_groups(s, "carol", ["nogroup"]),
        NotFoundError,
    ),
    (
        "065-deleteUser-admin-forbidden",
        lambda s, r: users.delete_user(s, "admin2"),
        PermissionDeniedError,
    ),
    ("066-deleteUser-unknown", lambda s, r: users.delete_user(s, "nobody"), NotFoundError),
    ("072-getGroup-unknown", lambda s, r: groups.get_group(s, "nogroup"), NotFoundError),
    (
        "081-getGroupMembers-forbidden",
        lambda s, r: groups.list_group_members(s, "default"),
        PermissionDeniedError,
    ),
    (
        "095-getTokens-application-forbidden",
        lambda s, r: authn.list_tokens(s),
        PermissionDeniedError,
    ),
    ("098-deleteToken-garbage", lambda s, r: authn.revoke_token(s, "garbage"), ServerError),
    ("103-basicLogout-again-401", lambda s, r: authn.basic_logout(s), AuthenticationError),
    (
        "132-getVirtualCluster-unknown",
        lambda s, r: virtual_clusters.get_virtual_cluster(s, "novc"),
        NotFoundError,
    ),
    (
        "133-getVirtualCluster-bad-name",
        lambda s, r: virtual_clusters.get_virtual_cluster(s, "no-vc"),
        ApiError,
    ),
    (
        "141-getSkuTypes-unknown-vc",
        lambda s, r: virtual_clusters.list_sku_types(s, "novc"),
        NotFoundError,
    ),
    ("143-getK8sNodes-non-admin", lambda s, r: cluster.list_nodes(s), PermissionDeniedError),
    (
        "161-getStorage-forbidden",
        lambda s, r: storages.get_storage(s, "secret-other-group"),
        PermissionDeniedError,
    ),
    ("162-getStorage-unknown", lambda s, r: storages.get_storage(s, "nostorage"), NotFoundError),
    (
        "264-getJobAttempts-unknown-job",
        lambda s, r: history.list_attempts(s, "alice~nope"),
        JobNotFoundError,
    ),
    (
        "267-getJobAttempt-unknown",
        lambda s, r: history.get_attempt(s, RETRY, 9),
        JobNotFoundError,
    ),
    (
        "274-getTask-unknown-index",
        lambda s, r: tasks.get_task(s, RUN, 0, "taskrole", 7),
        JobNotFoundError,
    ),
    (
        "282-getTaskLogs-waiting-not-started",
        lambda s, r: tasks.log_locations(s, TASK._replace(job="alice~j_wait")),
        NotFoundError,
    ),
    (
        "284-getTaskLogs-unknown-job",
        lambda s, r: tasks.log_locations(s, TASK._replace(job="alice~nope")),
        ServerError,
    ),
    (
        "297-getJobConfig-unknown",
        lambda s, r: jobs.get_config(s, "alice~nope"),
        JobNotFoundError,
    ),
    ("308-addTag-forbidden", lambda s, r: jobs.add_tag(s, RUN, "x"), PermissionDeniedError),
    ("312-deleteTag-again", lambda s, r: jobs.delete_tag(s, RUN, "blue"), NotFoundError),
    (
        "324-updateJobExecutionType-forbidden",
        lambda s, r: jobs.set_execution_type(s, "alice~j_stop", "STOP"),
        PermissionDeniedError,
    ),
    ("342-listJobs-limit-abc", lambda s, r: jobs.list_jobs(s, limit="abc"), ServerError),
    ("217-createJob-schema-many-errors", submit, ApiError),
    ("233-createJob-unknown-storage", submit, NotFoundError),
    ("413-createJob-no-instances", submit, ServerError),
    ("defsched-049-createJob-write-merger-down", submit, ServerError),
    ("defsched-066-listJobs-database-down", lambda s, r: jobs.list_jobs(s, limit=1), ServerError),
    (
        "defsched-058-listJobs-rate-limit-3-of-2",
        lambda s, r: jobs.list_jobs(s, limit=1),
        RateLimitError,
    ),
]


@pytest.mark.parametrize(("name", "call", "kind"), REFUSALS, ids=[name for name, _, _ in REFUSALS])
def test_recorded_refusal_has_its_class(name, call, kind, session, replay):
    """Status and code become the class that the docstrings promise."""
    recorded = replay(name)
    with pytest.raises(kind) as caught:
        call(session, recorded)
    answer = recorded["response"]
    assert caught.value.status == answer["status"]
    assert caught.value.code == ((answer.get("json") or {}).get("code") or "")
    assert "\n" not in caught.value.message


def test_cluster_without_history_is_detected(session, replay):
    """501 is an answer to that question and no error."""
    replay("defsched-069-getJobAttemptsHealthz-database-down")
    assert history.has_history(session, "admin~r0") is False


@pytest.mark.parametrize("name", ["pylon-003-unknown-outside-api", "pylon-004-unknown-path-404"])
def test_wrong_path_behind_pylon_is_not_found(name, session, replay):
    """Pylon answers with a page, rest-server with NoApiError."""
    path = replay(name)["request"]["path"]
    with pytest.raises(NotFoundError):
        session.get(path)
