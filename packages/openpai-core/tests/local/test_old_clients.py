"""Requests of other people's clients, as they send them."""

import pytest
from support.wait import wait_until

NNI_JOB = """\
protocolVersion: 2
name: nni_exp_w09qk4bl_env_uRMZM
type: job
jobRetryCount: 0
prerequisites:
  - type: dockerimage
    uri: 'msranni/nni:latest'
    name: docker_image_0
taskRoles:
  taskrole:
    instances: 1
    completion:
      minFailedInstances: 1
      minSucceededInstances: -1
    taskRetryCount: 0
    dockerImage: docker_image_0
    resourcePerInstance:
      gpu: 0
      cpu: 1
      memoryMB: 1024
    commands:
      - >-
        cd "$PWD" && mkdir -p envs/uRMZM && cd envs/uRMZM &&
        (sleep 600 & echo $! ; wait)
extras:
  storages:
    - name: local-storage
  submitFrom: submit-job-v2
defaults:
  virtualCluster: default
"""
JSON = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}


@pytest.mark.process
def test_nni_runs_an_environment(cluster, client, is_alive):
    """It polls before it submits, wants a bare list of its own jobs, and stops the whole tree."""
    name = "nni_exp_w09qk4bl_env_uRMZM"
    base = "/rest-server/api/v2/jobs"
    assert client("GET", f"{base}/{cluster.user}~{name}", headers=JSON).status_code == 404
    headers = {**JSON, "Content-Type": "text/yaml"}
    assert client("POST", base, data=NNI_JOB, headers=headers).status_code == 202

    def state():
        listed = client("GET", base, params={"username": cluster.user}, headers=JSON).json()
        return {job["name"]: job["state"] for job in listed}[name]

    wait_until(lambda: state() == "RUNNING")
    pid = int(wait_until(lambda: client.log(name, role="taskrole").strip()))
    stop = {"value": "STOP"}
    answer = client("PUT", f"{base}/{cluster.user}~{name}/executionType", json=stop, headers=JSON)
    assert answer.status_code == 202
    wait_until(lambda: state() == "STOPPED")
    assert not is_alive(pid)


def test_vs_code_client_logs_in_with_form(cluster, client):
    """Form fields, and an expiration that is checked and ignored."""
    fields = {"username": cluster.user, "password": cluster.password, "expiration": "4000"}
    answer = client("POST", "/rest-server/api/v1/token", data=fields)
    assert answer.json().keys() == {"user", "token", "admin"}


def test_vs_code_client_detects_v2(cluster, client):
    """Its probe wants an answer in JSON that is not NoApiError; without a token that is 401."""
    probe = "/rest-server/api/v2/jobs/protocolversion/config"
    answer = client("GET", probe, headers={"Authorization": None})
    assert (answer.status_code, answer.json()["code"]) == (401, "UnauthorizedUserError")
    assert client("GET", "/healthz").status_code == 200


@pytest.mark.process
def test_old_address_checks_job_names(client, job_text):
    """200 means that a job exists, 404 with NoJobError that it does not."""
    client.submit(job_text("oldname"))
    client.wait("oldname")
    old = f"/api/v1/user/{client.user}/jobs"
    assert client("GET", f"{old}/oldname").json()["name"] == "oldname"
    assert client("GET", f"{old}/oldname/config").json()["name"] == "oldname"
    missing = client("GET", f"{old}/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "NoJobError")
    assert "oldname" in [job["name"] for job in client("GET", old).json()]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1", dict),
        ("/api/v1/jobs", list),
        ("/api/v1/virtual-clusters", dict),
        ("/api/v2/storage/config", list),
        ("/api/v2/storage/server", list),
    ],
)
def test_old_python_sdk_addresses_answer(client, path, kind):
    """Each address answers with what it expects, also where it sends a body with GET."""
    answer = client("GET", path, json={})
    assert answer.status_code == 200
    assert isinstance(answer.json(), kind)


OLD_JOB = {
    "jobName": "old",
    "image": "ubuntu",
    "virtualCluster": "default",
    "taskRoles": [
        {
            "name": "main",
            "taskNumber": 1,
            "cpuNumber": 1,
            "memoryMB": 64,
            "gpuNumber": 0,
            "command": "echo $PAI_JOB_NAME",
        }
    ],
}


@pytest.mark.process
def test_version_1_job_runs(cluster, client):
    """As the old NNI sends it, in JSON: it runs as a job of version 2."""
    path = f"/rest-server/api/v1/user/{cluster.user}/jobs"
    assert client("POST", path, json=OLD_JOB).status_code == 202
    assert client.wait("old")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("old", role="main").strip().endswith("old")
    assert client("POST", path, json=OLD_JOB).status_code == 409


@pytest.mark.parametrize(
    ("user", "body", "status"),
    [("somebody", OLD_JOB, 403), (None, {"jobName": "x"}, 400), (None, [1], 400)],
)
def test_invalid_version_1_job_is_refused(cluster, client, user, body, status):
    """Another user's, or none at all: refused in one sentence."""
    answer = client("POST", f"/api/v1/user/{user or cluster.user}/jobs", json=body)
    assert answer.status_code == status
    assert answer.json()["message"]
