"""Several users on one cluster: what each may use and do, and who comes first."""

import pytest

from openpai.core.local import LocalCluster

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A cluster with a virtual cluster and a storage that not everybody may use."""
    folder = tmp_path_factory.mktemp("secret")
    (folder / "note").write_text("for the team\n")
    with LocalCluster(
        cpus=4,
        memory_mb=4096,
        gpus=4,
        grace=1,
        virtual_clusters={"team": {"cpu": 2, "memory_mb": 2048, "gpu": 2}},
        storages={"vault": str(folder)},
    ) as cluster:
        yield cluster


@pytest.fixture
def admin(shared, plain_client):
    """The first user, logged in: users are not managed with application tokens."""
    client = plain_client(shared.uri, shared.user, shared.token)
    body = {"username": shared.user, "password": shared.password}
    token = client("POST", "/tokens", json=body).json()["token"]
    client.session.headers["Authorization"] = f"Bearer {token}"
    yield client
    client.close()


@pytest.fixture
def people(shared, admin, plain_client):
    """Return a function that makes a user and logs him in."""
    clients = []

    def make(name, *virtual_clusters):
        body = {"username": name, "password": "password-1", "virtualCluster": virtual_clusters}
        assert admin("POST", "/users", json=body).status_code == 201
        answer = admin("POST", "/tokens", json={"username": name, "password": "password-1"})
        clients.append(plain_client(shared.uri, name, answer.json()["token"]))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
        admin("DELETE", f"/users/{client.user}")


def test_virtual_cluster_is_for_its_group(people, job_text):
    """Who is not in the group is refused; who is runs there, and it is written down."""
    text = job_text("in-team", "true") + "defaults: {virtualCluster: team}\n"
    refused = people("outsider").submit(text)
    assert (refused.status_code, refused.json()["code"]) == (403, "ForbiddenUserError")
    member = people("member", "team")
    assert member.submit(text).status_code == 202
    assert member.wait("in-team")["jobStatus"]["virtualCluster"] == "team"


def test_quota_is_shared_by_all_users(people, job_text):
    """The second user's job waits for the first one's, though the machine has room."""
    one, two = people("quota-one", "team"), people("quota-two", "team")
    in_team = "defaults: {virtualCluster: team}\n"
    one.submit(job_text("holds", "sleep 600", gpu=2) + in_team)
    one.wait("holds", "RUNNING")
    two.submit(job_text("waits", "true", gpu=1) + in_team)
    two.submit(job_text("elsewhere", "true", gpu=1))
    assert two.wait("elsewhere")["jobStatus"]["state"] == "SUCCEEDED"
    assert two.status("waits")["state"] == "WAITING"
    events = two("GET", two.path("waits") + "/events").json()["data"]
    reasons = [event["message"] for event in events if event["reason"] == "FailedScheduling"]
    assert reasons == ["Waiting for 1 GPU (0 available) on virtual cluster team."]
    shown = two("GET", "/virtual-clusters/team").json()
    assert (shown["resourcesUsed"]["gpu"], shown["resourcesTotal"]["gpu"]) == (2, 2)
    one.stop("holds")
    assert two.wait("waits")["jobStatus"]["state"] == "SUCCEEDED"


def test_job_exceeding_quota_is_refused(people, job_text):
    """A job that its virtual cluster can never hold is not taken."""
    text = job_text("too-much", "true", gpu=3) + "defaults: {virtualCluster: team}\n"
    refused = people("greedy", "team").submit(text)
    assert (refused.status_code, refused.json()["code"]) == (400, "NoEnoughQuotaError")
    assert "3 GPU (2 available) on virtual cluster team" in refused.json()["message"]


def test_higher_priority_job_starts_first(people, job_text):
    """Of two that wait the later one with priority prod overtakes the one without."""
    user = people("hurried")
    extras = "extras: {hivedScheduler: {jobPriorityClass: %s}}\n"
    user.submit(job_text("all", "sleep 600", cpu=4))
    user.wait("all", "RUNNING")
    user.submit(job_text("unhurried", "true", cpu=4) + extras % "oppo")
    user.submit(job_text("hurried", "true", cpu=4) + extras % "prod")
    user.stop("all")
    late, soon = user.wait("unhurried")["jobStatus"], user.wait("hurried")["jobStatus"]
    assert soon["completedTime"] <= late["appLaunchedTime"]


def test_tasks_do_not_share_gpus(people, job_text, gate):
    """Two jobs at once see different devices; one without GPUs sees none."""
    user = people("gpu-user")
    show = f"echo $CUDA_VISIBLE_DEVICES $NVIDIA_VISIBLE_DEVICES; {gate.command}"
    user.submit(job_text("two", show, gpu=2))
    user.submit(job_text("one", show, gpu=1))
    user.submit(job_text("none", 'echo "<$CUDA_VISIBLE_DEVICES>"'))
    user.wait("one", "RUNNING")
    gate.open()
    for name in ("two", "one", "none"):
        user.wait(name)
    assert user.log("two") == "0,1 0,1\n"
    assert user.log("one") == "2 2\n"
    assert user.log("none") == "<>\n"


def test_storage_is_for_its_groups(admin, people, job_text):
    """It is listed, given and mounted only where a group of the user has it."""
    user = people("reader")
    asks = job_text("read", "cat /mnt/vault/note") + "extras: {storages: [{name: vault}]}\n"
    # the group that everybody is in has all storages at first
    acls = {"admin": False, "virtualClusters": ["default"], "storageConfigs": ["local-storage"]}
    whole = {"groupname": "default", "extension": {"acls": acls}}
    change = {"data": whole, "patch": True}
    assert admin("PUT", "/groups", json=change).status_code == 201
    listed = [item["name"] for item in user("GET", "/storages").json()["storages"]]
    assert listed == ["local-storage"]
    assert user("GET", "/storages/vault").status_code == 403
    refused = user.submit(asks)
    assert (refused.status_code, refused.json()["code"]) == (404, "NoStorageError")
    user.submit(job_text("storages", "echo $OPENPAI_STORAGES"))
    user.wait("storages")
    assert "vault" not in user.log("storages")
    whole["extension"]["acls"]["storageConfigs"] = ["local-storage", "vault"]
    assert admin("PUT", "/groups", json=change).status_code == 201
    assert user("GET", "/storages/vault").status_code == 200
    assert user.submit(asks).status_code == 202
    assert user.wait("read")["jobStatus"]["state"] == "SUCCEEDED"


def test_jobs_of_others_are_read_only(admin, people, job_text):
    """Everybody reads; only the owner and an admin stop and tag; names are each user's own."""
    owner, other = people("owner"), people("other")
    owner.submit(job_text("mine", "echo hello; sleep 600"))
    owner.wait("mine", "RUNNING")
    assert other.submit(job_text("mine", "true")).status_code == 202
    path = owner.path("mine")
    assert other("GET", path).status_code == 200
    listed = other("GET", "/jobs", params={"username": "owner"}).json()
    assert [job["name"] for job in listed] == ["mine"]
    for method, part, body in (
        ("PUT", "/executionType", {"value": "STOP"}),
        ("PUT", "/tag", {"value": "theirs"}),
        ("DELETE", "/tag", {"value": "theirs"}),
    ):
        refused = other(method, path + part, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "ForbiddenUserError")
    assert admin("PUT", path + "/executionType", json={"value": "STOP"}).status_code == 202
    assert owner.wait("mine")["jobStatus"]["state"] == "STOPPED"


def test_deleted_user_leaves_jobs(admin, people, job_text):
    """His token opens nothing any more; what he submitted can still be read."""
    leaver = people("leaver")
    leaver.submit(job_text("legacy", "echo left"))
    leaver.wait("legacy")
    assert admin("DELETE", "/users/leaver").status_code == 200
    assert leaver("GET", "/jobs").status_code == 401
    assert admin("GET", leaver.path("legacy")).json()["jobStatus"]["state"] == "SUCCEEDED"
