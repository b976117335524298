"""A client written from the server's OpenAPI file alone, with nothing of ours, gets on with it."""

from __future__ import annotations

import requests
from support.wait import wait_until

JOB = """\
protocolVersion: 2
name: by-hand
type: job
prerequisites:
  - name: image
    type: dockerimage
    uri: python:3.11
taskRoles:
  worker:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands:
      - echo written to stdout
      - echo written to stderr >&2
"""


def test_openapi_client_runs_job(local_cluster, clean_home):
    """basicLogin, createJob, getJob, getTaskLogs, as the file describes them."""
    base = local_cluster["uri"] + "/rest-server/api/v2"
    password = (clean_home / "local" / "password").read_text().strip()
    with requests.Session() as http:
        http.trust_env = False

        refused = http.get(f"{base}/jobs")
        assert (refused.status_code, refused.json()["code"]) == (401, "UnauthorizedUserError")

        login = http.post(
            f"{base}/authn/basic/login",
            json={"username": local_cluster["user"], "password": password},
        )
        assert login.status_code == 200
        user = login.json()["user"]
        http.headers["Authorization"] = f"Bearer {login.json()['token']}"

        created = http.post(f"{base}/jobs", data=JOB, headers={"Content-Type": "text/yaml"})
        assert created.status_code == 202
        again = http.post(f"{base}/jobs", data=JOB, headers={"Content-Type": "text/yaml"})
        assert (again.status_code, again.json()["code"]) == (409, "ConflictJobError")

        job = poll(http, f"{base}/jobs/{user}~by-hand")
        assert job["jobStatus"]["state"] == "SUCCEEDED"
        assert job["jobStatus"]["appExitCode"] == 0

        attempt = job["jobStatus"]["attemptId"]
        logs = http.get(
            f"{base}/jobs/{user}~by-hand/attempts/{attempt}"
            "/taskRoles/worker/taskIndex/0/attempts/0/logs"
        )
        uris = {item["name"]: item["uri"] for item in logs.json()["locations"]}
        assert http.get(local_cluster["uri"] + uris["stdout"]).text == "written to stdout\n"
        assert http.get(local_cluster["uri"] + uris["stderr"]).text == "written to stderr\n"

        listed = http.get(f"{base}/jobs", params={"username": user}).json()
        assert [(item["name"], item["state"]) for item in listed] == [("by-hand", "SUCCEEDED")]


def poll(http: requests.Session, url: str) -> dict:
    """Return the job once it has ended."""

    def ended() -> dict | None:
        job = http.get(url).json()
        return job if job["jobStatus"]["state"] in ("SUCCEEDED", "FAILED", "STOPPED") else None

    return wait_until(ended, "the job ends", show=lambda: http.get(url).text)
