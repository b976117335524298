"""What is taken in, what is refused, and in which words."""

import json
import sqlite3
from pathlib import Path

import pytest
from support.wait import wait_until

from openpai.core.local import LocalCluster
from openpai.core.protocol.validation import server_verdict

YAML = {"Content-Type": "text/yaml"}


@pytest.mark.process
def test_job_is_accepted(client, job_text):
    """202, and the real server's sentence."""
    answer = client.submit(job_text("taken"))
    message = f"Update job taken for user {client.user} successfully."
    assert (answer.status_code, answer.json()) == (202, {"status": 202, "message": message})
    client.wait("taken")


@pytest.mark.process
def test_name_is_used_once(client, job_text):
    """A second job of the name is refused, though the first is over."""
    client.submit(job_text("twice"))
    client.wait("twice")
    answer = client.submit(job_text("twice"))
    assert (answer.status_code, answer.json()["code"]) == (409, "ConflictJobError")


@pytest.mark.parametrize("kind", ["application/json", "application/x-yaml", ""])
def test_only_text_body_is_accepted(client, job_text, kind):
    """Any other content type gives what the real server makes of it: no object."""
    headers = {"Content-Type": kind} if kind else {}
    body = json.dumps({"a": 1}) if "json" in kind else job_text("kind")
    answer = client("POST", "/jobs", data=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidProtocolError")
    assert "The job must be a mapping" in answer.json()["message"]


BROKEN = {
    "yaml": "a: b: c",
    "duplicate": "a: 1\na: 2\n",
    "documents": "a: 1\n---\na: 2\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_invalid_yaml_is_refused(client, text):
    """400 with a code and the message with which the real server fails."""
    kind = client.submit(text)
    assert (kind.status_code, kind.json()["code"]) == (400, "InvalidProtocolError")
    assert kind.json()["message"] == server_verdict(text).message


def test_role_without_instances_is_refused(client, job_text):
    """PAI's schema lets it through and its database does not."""
    text = job_text("noinst").replace("    instances: 1\n", "")
    kind = client.submit(text)
    assert (kind.status_code, kind.json()["code"]) == (400, "InvalidProtocolError")
    assert "'worker' has no 'instances'" in kind.json()["message"]


@pytest.mark.parametrize(
    ("amounts", "lacking"),
    [
        ({"cpu": 9}, "9 CPU (8 available)"),
        ({"gpu": 3}, "3 GPU (2 available)"),
        ({"memoryMB": 9000}, "9000 MB of memory (8192 available)"),
    ],
)
def test_job_larger_than_cluster_is_refused(client, job_text, amounts, lacking):
    """It is refused at once, with what is missing; nothing of it is kept."""
    answer = client.submit(job_text("toobig", **amounts))
    assert (answer.status_code, answer.json()["code"]) == (400, "NoEnoughQuotaError")
    assert lacking in answer.json()["message"]
    assert client("GET", client.path("toobig")).status_code == 404


@pytest.mark.process
def test_gang_must_fit_as_a_whole(client, job_text):
    """Five tasks of 2 CPUs do not run together on 8; one after the other they would."""
    assert client.submit(job_text("gang", instances=5, cpu=2)).status_code == 400
    text = job_text("nogang", "true", instances=5, cpu=2) + "extras: {gangAllocation: false}\n"
    assert client.submit(text).status_code == 202
    assert client.wait("nogang")["jobStatus"]["state"] == "SUCCEEDED"


def test_negative_amounts_are_refused(client, job_text):
    """Kubernetes would refuse the pod much later; here the job is refused."""
    answer = client.submit(job_text("minus", cpu=-1))
    assert answer.status_code == 400
    assert "negative amount of cpu" in answer.json()["message"]


def test_forbidden_virtual_cluster_is_refused(client, job_text):
    """403, also for one that does not exist."""
    answer = client.submit(job_text("vc") + "defaults: {virtualCluster: nowhere}\n")
    assert (answer.status_code, answer.json()["code"]) == (403, "ForbiddenUserError")


def test_unknown_storage_is_refused(client, job_text):
    """404, with its name."""
    answer = client.submit(job_text("st") + "extras: {storages: [{name: nothing}]}\n")
    assert (answer.status_code, answer.json()["code"]) == (404, "NoStorageError")


def _files_with(folder, word):
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if word in file.read_text()]


@pytest.mark.process
def test_secrets_reach_only_the_task(cluster, client, job_text):
    """The command gets the value; config, database and files of an ended job do not hold it."""
    secret = "very-secret-value"
    command = "printf %s '<% $secrets.word %>' | wc -c"
    text = job_text("hush", command, top=f"secrets:\n  word: {secret}")
    assert client.submit(text).status_code == 202
    client.wait("hush")
    assert client.log("hush").strip() == str(len(secret))
    shown = client("GET", client.path("hush") + "/config")
    assert shown.headers["Content-Type"] == "text/yaml; charset=utf-8"
    assert shown.json()["secrets"] == "******"
    folder = Path(cluster.folder) / "jobs" / client.job("hush")["debugId"]
    wait_until(lambda: not _files_with(folder, secret))
    assert list(folder.rglob("job.yaml"))
    with sqlite3.connect(f"file:{cluster.folder}/cluster.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT text, document FROM configs").fetchall()
    database.close()
    assert not [row for row in rows if secret in str(row)]


@pytest.mark.process
def test_stop_of_waiting_job_with_secrets(plain_client, job_text, caplog):
    """There are no scripts of it to remove."""
    with LocalCluster(cpus=1, memory_mb=512, grace=2) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        client.submit(job_text("first", "sleep 600"))
        client.submit(job_text("second", top="secrets:\n  word: hush"))
        client.wait("second", "WAITING")
        for name in ("second", "first"):
            client.stop(name)
            client.wait(name, "STOPPED")
        client.close()
    assert "a turn of the controller failed" not in caplog.text


@pytest.mark.process
def test_scripts_of_running_job_are_private(cluster, client, job_text):
    """While it runs, what holds secrets is the owner's alone."""
    client.submit(job_text("private", "sleep 600"))
    client.wait("private", "RUNNING")
    folder = Path(cluster.folder) / "jobs" / client.job("private")["debugId"]
    scripts = [*folder.rglob("*.sh"), *folder.rglob("plan.json")]
    assert len(scripts) == 2
    assert {file.stat().st_mode & 0o777 for file in scripts} == {0o600}
    client.stop("private")
    client.wait("private")


@pytest.mark.process
def test_ignored_image_is_reported_once(client, job_text):
    client.submit(job_text("image"))
    client.wait("image")
    events = client("GET", client.path("image") + "/events").json()["data"]
    reported = [event for event in events if event["reason"] == "ImageNotRun"]
    assert len(reported) == 1
    assert (reported[0]["type"], "images are not used" in reported[0]["message"]) == (
        "Normal",
        True,
    )


@pytest.mark.process
def test_concurrent_submissions_of_one_name_leave_one_job(cluster, plain_client, job_text):
    """Exactly one is taken; the real server may take several."""
    from concurrent.futures import ThreadPoolExecutor

    clients = [plain_client(cluster.uri, cluster.user, cluster.token) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.submit(job_text("race")), clients))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    clients[0].wait("race")
    for client in clients:
        client.close()
