"""Requests that a real rest-server answered, sent again to a local cluster: the answers agree.

Compared are status, error code and message, and for good answers which keys there are and of what
type their values. What differs on purpose, or cannot be repeated here, is in a table with its
reason, and the table is exact: an exchange that agrees must not be in it.
"""

from __future__ import annotations

import json
import re

import pytest
import requests
from support.wait import wait_until

from openpai.core.local import LocalCluster

HIVED = "recorded with the HiveD scheduler, which a local cluster does not have"
STORAGE = "a local cluster's storages are folders of this machine, offered as NFS"
ENDED = "the job had run; here it waits (running jobs are compared in test_recorded_job_shapes)"
BODY = "the recording holds a description of the body, not the body"
WORDS = "the wording is that of the real server's JavaScript engine"
CHANGES = "all changes of virtual clusters, which PAI does not implement, have one answer"
TOKEN = "the recorded token is no good here; see test_local_tokens"

DIFFERENT = {
    "026-basicLogin-malformed-json": WORDS,
    "089-checkToken-application-basic": TOKEN,
    "090-checkToken-basic-with-browser-token": TOKEN,
    "091-checkToken-basic-wrong-user": TOKEN,
    "093-checkToken-empty-credentials": TOKEN,
    "094-checkToken-unknown-scheme": TOKEN,
    "099-deleteToken-ok": TOKEN,
    "101-deleteToken-twice": TOKEN,
    "105-unauthorized-garbage-GET_jobs": TOKEN,
    "107-unauthorized-garbage-POST_jobs": TOKEN,
    "109-unauthorized-garbage-GET_jobs_alice-x": TOKEN,
    "114-unauthorized-garbage-GET_virtual-clusters": TOKEN,
    "126-unauthorized-never-issued-jwt": TOKEN,
    "129-listVirtualClusters-nodes": "the nodes have other names",
    "135-putVirtualCluster-default-forbidden": CHANGES,
    "136-deleteVirtualCluster-not-implemented": CHANGES,
    "138-putVirtualClusterStatus-not-implemented": CHANGES,
    "140-getSkuTypes-vc": HIVED,
    "142-getK8sNodes-admin": "there is no Kubernetes: only what describes this machine is shown",
    "148-getStorages-ok": STORAGE,
    "149-getStorages-default-true": STORAGE,
    "153-getStorage-smb-storage": STORAGE,
    "154-getStorage-blob-storage": STORAGE,
    "155-getStorage-blob-sas": STORAGE,
    "157-getStorage-csi-dshuttle": STORAGE,
    "158-getStorage-hostpath-storage": STORAGE,
    "160-getStorage-pending-storage": STORAGE,
    "166-storageServerDeprecated-one": STORAGE,
    "185-createJob-oppo-without-sku": HIVED,
    "228-createJob-hived-gpu-on-cpu-vc": HIVED,
    "232-createJob-unknown-vc": HIVED,
    "235-createJob-oversized-over-100kb": BODY,
    "236-createJob-exactly-100kb": BODY,
    "237-createJob-one-over-100kb": BODY,
    "250-getJob-attempt-2-latest": ENDED,
    "277-getTaskLogs-ok": ENDED,
    "278-getTaskLogs-tail-mode": ENDED,
    "280-getTaskLogs-succeeded": ENDED,
    "281-getTaskLogs-old-task-attempt": ENDED,
    "289-getJobConfig-j_secret_quoted": "the job's file was not recorded",
    "335-getJob-succeeded-after-stop": ENDED,
    "428-getJobConfig-yaml11-scalars": "the job's file was not recorded",
    "433-createJob-taskroles-empty-list": HIVED,
    "437-createJob-defaults-virtualCluster-null": HIVED,
    "454-createJob-gzip-request": "compressed bodies are not read",
    "457-createJob-with-basic-application-token": TOKEN,
    "460-createJob-hived-pinned-and-sku": HIVED,
    "467-listJobs-if-none-match-304": "answers have no entity tag",
    "474-getJob-bad-percent": "requests repairs the address; see test_local_http",
    "485-getJob-before-sync": "a local cluster has no such pause before the first attempt",
    "489-getTask-before-sync": "a local cluster has no such pause before the first attempt",
    "490-getTaskLogs-before-sync": "a local cluster has no such pause before the first attempt",
    "497-getTaskLogs-collected": ENDED,
    "509-getJob-role-names-collide": "the job's file was not recorded",
    "520-getJobConfig-secrets-multiline-flow": "the job's file was not recorded",
    "528-createJob-oversized-without-token": BODY,
}

#: What the real server answers with 500, and a local cluster with the status that fits.
KINDER = {
    "074-createGroup-conflict": 409,
    "098-deleteToken-garbage": 400,
    "165-storageConfigDeprecated-unknown": 404,
    "205-createJob-yaml-duplicate-key": 400,
    "206-createJob-yaml-anchor-unknown-tag": 400,
    "207-createJob-yaml-multi-document": 400,
    "284-getTaskLogs-unknown-job": 404,
    "307-addTag-too-long-513": 400,
    "342-listJobs-limit-abc": 400,
    "343-listJobs-limit-negative": 400,
    "348-listJobs-offset-negative": 400,
    "355-listJobs-username-repeated": 400,
    "413-createJob-no-instances": 400,
    "416-createJob-no-instances-gpu0": 400,
    "513-createJob-render-unclosed-section": 400,
    "514-createJob-auth-non-string": 400,
    "521-createJob-taskroles-string": 400,
}

ALL = {"cpu": 1000, "memory_mb": 10_000_000, "gpu": 100}
STORAGES = (
    *("nfs-storage", "smb-storage", "blob-storage", "blob-sas", "azure-file", "nfs-personal"),
    *("csi-dshuttle", "hostpath-storage", "flex-other", "pending-storage", "secret-other-group"),
)
LOST_JOBS = ("j_run", "j_fail137", "j_taskretry", "j_wait", "j_stop", "j_secret_quoted")


class World:
    """A cluster in which all jobs wait, and what the recordings take for granted."""

    def __init__(self, cluster, job_text) -> None:
        self.cluster = cluster
        self.job_text = job_text
        self.session = requests.Session()
        self.session.trust_env = False
        self.tokens = {}
        self.tokens["admin"] = self.login("admin", cluster.password)
        self.send("PUT", "/users/admin/password", json={"newPassword": "admin-password"})
        self.tokens["admin"] = self.login("admin", "admin-password")

    def send(self, method, path, user="admin", **options):
        """Send a request as somebody."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}", **options.pop("headers", {})}
        return self.session.request(
            method, self.cluster.uri + "/api/v2" + path, headers=headers, timeout=60, **options
        )

    def login(self, name, password):
        """Return a new token."""
        body = {"username": name, "password": password}
        uri = self.cluster.uri + "/api/v2/authn/basic/login"
        return self.session.post(uri, json=body, timeout=60).json().get("token")

    def add_user(self, name):
        """Make a user and log in."""
        self.send("POST", "/users", json={"username": name, "password": f"{name}-password"})
        self.tokens[name] = self.login(name, f"{name}-password")

    def submit(self, name):
        """Submit a job of alice."""
        text = self.job_text(name, top="jobRetryCount: 0").replace("  worker:", "  taskrole:")
        answer = self.send(
            "POST", "/jobs", "alice", data=text, headers={"Content-Type": "text/yaml"}
        )
        assert answer.status_code == 202, answer.text

    def hold_everything(self):
        """Start a job that leaves nothing for others."""
        whole = {"cpu": ALL["cpu"], "memoryMB": ALL["memory_mb"], "gpu": ALL["gpu"]}
        text = self.job_text("whole", "sleep 600", **whole)
        self.send("POST", "/jobs", data=text, headers={"Content-Type": "text/yaml"})
        wait_until(lambda: self._state("admin~whole") == "RUNNING")

    def _state(self, job):
        return self.send("GET", f"/jobs/{job}").json()["jobStatus"]["state"]

    def restore_default_group(self):
        """Create the group again that the recordings delete."""
        acls = {"virtualClusters": ["default"], "storageConfigs": STORAGES[:-1]}
        self.send("POST", "/groups", json={"groupname": "default", "extension": {"acls": acls}})
        for name in ("alice", "bob"):
            self.send("PUT", f"/users/{name}/group", json={"groupname": "default"})

    def before(self, number):
        """Do what was done before an exchange and is not among the recordings."""
        acls = {"virtualClusters": ["default"], "storageConfigs": STORAGES[:-1]}
        steps = {
            34: lambda: self.add_user("bob"),
            # the last storage is granted to nobody but admins
            85: lambda: self.send("PUT", "/groups/default/extension/acls", json={"data": acls}),
            102: lambda: self.tokens.update(bob2=self.tokens["bob"]),
            104: lambda: self.tokens.update(bob=self.login("bob", "bob-password")),
            239: lambda: [self.submit(name) for name in LOST_JOBS],
            311: lambda: self.send("PUT", "/jobs/alice~j_run/tag", "alice", json={"value": "blue"}),
            335: lambda: wait_until(lambda: self._state("alice~j_ok") == "STOPPED"),
            413: self.restore_default_group,
            456: lambda: self.tokens.update(app=self._application_token()),
            534: lambda: self.add_user("dave"),
            535: lambda: self.send("DELETE", "/users/dave"),
        }
        steps.get(number, lambda: None)()

    def _application_token(self):
        return self.send("POST", "/tokens/application", "alice").json()["token"]

    def repeat(self, request):
        """Send a recorded request; after a job wait for its first attempt."""
        headers = dict(request.get("headers") or {})
        user = request.get("auth")
        if user:
            if user not in self.tokens:
                self.tokens[user] = self.login(user, f"{user}-password")
            headers["Authorization"] = f"Bearer {self.tokens[user]}"
        body = request.get("body")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        answer = self.session.request(
            request["method"],
            self.cluster.uri + request["path"],
            headers=headers,
            data=None if body is None else body.encode(),
            params=request.get("query"),
            timeout=60,
        )
        if answer.status_code == 202 and request["method"] == "POST":
            wait_until(self._all_have_attempts)
        return answer

    def _all_have_attempts(self):
        created = [job["createdTime"] for job in self.send("GET", "/jobs").json()]
        return None not in created


@pytest.fixture
def world(tmp_path, job_text):
    """A cluster like the recorded one, all of it held by a job that does not end."""
    storages = {name: str(tmp_path) for name in STORAGES}
    clusters = dict.fromkeys(("vc1", "vc2"), ALL)
    with LocalCluster(
        cpus=ALL["cpu"],
        memory_mb=ALL["memory_mb"],
        gpus=ALL["gpu"],
        user="admin",
        storages=storages,
        virtual_clusters=clusters,
    ) as cluster:
        world = World(cluster, job_text)
        world.hold_everything()
        yield world
        world.session.close()


def _content(answer):
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _reworded(theirs, ours):
    """Return the recorded error in our words where the real server's are those of Joi or AJV."""
    if isinstance(theirs, dict) and re.match(r'(child )?"|\[\{', theirs.get("message", "")):
        assert len(ours["message"]) > 20
        return {**theirs, "message": ours["message"]}
    return theirs


@pytest.mark.process
def test_recorded_exchanges_give_recorded_answers(world, recordings, differences):
    """All answers agree but those in the table."""
    found = {}
    compared = [item for item in recordings.values() if item["name"][:3].isdigit()]
    assert len(compared) > 300
    for item in compared:
        world.before(int(item["name"][:3]))
        answer = world.repeat(item["request"])
        theirs, ours = item["response"], _content(answer)
        wanted = theirs.get("json", theirs.get("text"))
        if item["request"].get("path", "").endswith("/application") and answer.status_code == 200:
            world.tokens["alice-app"] = ours["token"]
        if item["name"] in KINDER:
            assert (theirs["status"], answer.status_code) == (500, KINDER[item["name"]])
            assert isinstance(ours["message"], str)
        elif answer.status_code != theirs["status"]:
            found[item["name"]] = f"{theirs['status']} became {answer.status_code}: {ours}"
        elif theirs["status"] >= 400 and ours != _reworded(wanted, ours):
            found[item["name"]] = f"{wanted} became {ours}"
        elif theirs["status"] < 400 and differences(wanted, ours):
            found[item["name"]] = str(differences(wanted, ours))
    unexpected = {name: text for name, text in found.items() if name not in DIFFERENT}
    assert unexpected == {}
    assert sorted(set(DIFFERENT) - set(found)) == []
