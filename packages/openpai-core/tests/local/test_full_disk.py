"""A full disk is reported, and the cluster recovers when there is space again."""

import resource

import pytest
from support.wait import wait_until

from openpai.core.local import daemon

pytestmark = pytest.mark.process

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def server(tmp_path, plain_client):
    """A server in a process of its own, whose files can be kept from growing."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process bound another's files")
    running = daemon.up(tmp_path / "state", cpus=8, memory_mb=8192, grace=1)
    client = plain_client(running.uri, running.user, running.token)
    yield running, client
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, UNLIMITED)
    client.close()
    daemon.down(tmp_path / "state", stop_jobs=True)


def test_job_is_refused_on_full_disk(server, job_text):
    """500 with the reason, nothing of it is kept, and reading still works; later it is taken."""
    running, client = server
    client.submit(job_text("before"))
    client.wait("before")
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    answer = client.submit(job_text("during"))
    assert (answer.status_code, answer.json()["code"]) == (500, "UnknownError")
    assert client("GET", client.path("during")).status_code == 404
    assert client.job("before")["jobStatus"]["state"] == "SUCCEEDED"
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, UNLIMITED)
    assert client.submit(job_text("during")).status_code == 202
    assert client.wait("during")["jobStatus"]["state"] == "SUCCEEDED"


def test_running_job_survives_full_disk(server, job_text, gate):
    """Its end is noted when there is room again."""
    running, client = server
    client.submit(job_text("through", f"echo begun; {gate.command}; echo done"))
    client.wait("through", "RUNNING")
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    gate.open()
    wait_until(lambda: list(running.folder.glob("jobs/*/*/exit.json")))
    assert client.job("through")["jobStatus"]["state"] == "RUNNING"
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, UNLIMITED)
    assert client.wait("through")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("through") == "begun\ndone\n"


def test_task_survives_full_log_disk(server, job_text, gate):
    """Output that finds no room is dropped with a warning; the command ends as it would."""
    import json

    running, client = server
    client.submit(job_text("wordy", f"{gate.command}; seq 1 50000; exit 0"))
    client.wait("wordy", "RUNNING")
    (record,) = wait_until(lambda: list(running.folder.glob("jobs/*/*/started.json")))
    supervisor = json.loads(record.read_text())["pid"]
    resource.prlimit(supervisor, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    gate.open()
    assert client.wait("wordy")["jobStatus"]["state"] == "SUCCEEDED"
    events = client("GET", client.path("wordy") + "/events", params={"type": "Warning"}).json()
    assert [event["reason"] for event in events["data"]] == ["LogDropped"]
