"""The server may die at any moment: no accepted job is lost."""

import json
import os
import signal

import pytest
from support.wait import wait_until

from openpai.core.errors import OpenPaiError
from openpai.core.local import daemon

pytestmark = pytest.mark.process


@pytest.fixture
def started(tmp_path, plain_client):
    """Start a server in a process of its own, as often as wanted; the last one is ended."""
    clients = []

    def start():
        running = daemon.up(tmp_path / "state", cpus=8, memory_mb=8192, grace=2)
        client = plain_client(running.uri, running.user, running.token)
        clients.append(client)
        return running, client

    yield start
    for client in clients:
        client.close()
    if daemon.status(tmp_path / "state"):
        daemon.down(tmp_path / "state", stop_jobs=True)


def _kill(running):
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: daemon.status(running.folder) is None)


def test_running_task_survives_server_kill(started, job_text, steps):
    """Kill -9 of the server during a job: the same task ends well, with its whole log."""
    running, client = started()
    client.submit(job_text("long", steps.loop(6, "echo $i")))
    uid = client.wait("long", "RUNNING")["taskRoles"]["worker"]["taskStatuses"][0]["containerId"]
    _kill(running)
    steps.allow(3)
    again, client = started()
    steps.allow(6)
    assert again.uri == running.uri
    assert again.token == running.token
    job = client.wait("long")
    assert job["jobStatus"]["state"] == "SUCCEEDED"
    assert job["jobStatus"]["retries"] == 0
    assert client.task("long")["containerId"] == uid
    assert client.log("long").split() == ["1", "2", "3", "4", "5", "6"]


def test_task_ended_without_server_is_recorded(started, job_text, gate):
    """A task that ends while no server runs has its own result."""
    running, client = started()
    client.submit(job_text("meanwhile", f"{gate.command}; exit 9"))
    client.wait("meanwhile", "RUNNING")
    _kill(running)
    gate.open()
    wait_until(lambda: list(running.folder.glob("jobs/*/*/exit.json")))
    _, client = started()
    status = client.wait("meanwhile")["jobStatus"]
    assert status["appExitMessages"]["runtime"]["originUserExitCode"] == 9


@pytest.mark.parametrize("written", ["", "jobs/*/*/started.json", "jobs/*/*/exit.json"])
def test_accepted_job_runs_once_after_server_kill(started, job_text, tmp_path, written):
    """Whenever the server dies after its 202, the job runs to its end, and runs once."""
    running, client = started()
    proof = tmp_path / "proof"
    client.submit(job_text("once", f"echo ran >> {proof}"))
    if written:
        wait_until(lambda: list(running.folder.glob(written)), written)
    _kill(running)
    _, client = started()
    assert client.wait("once")["jobStatus"]["state"] == "SUCCEEDED"
    assert proof.read_text() == "ran\n"


def test_stop_survives_server_kill(started, job_text):
    """A stop that was accepted is carried out by the next server."""
    running, client = started()
    client.submit(job_text("stopme", "trap '' TERM; echo ready; while true; do sleep 0.1; done"))
    client.wait("stopme", "RUNNING")
    wait_until(lambda: "ready" in client.log("stopme"))
    client.stop("stopme")
    _kill(running)
    _, client = started()
    assert client.wait("stopme")["jobStatus"]["state"] == "STOPPED"


def test_down_leaves_tasks_running(started, job_text, gate):
    """The result has the number of active jobs."""
    running, client = started()
    client.submit(job_text("goeson", f"{gate.command}; echo end"))
    client.wait("goeson", "RUNNING")
    assert daemon.down(running.folder).active_jobs == 1
    gate.open()
    _, client = started()
    assert client.wait("goeson")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("goeson") == "end\n"


def test_down_with_stop_jobs_stops_them(started, job_text):
    running, client = started()
    client.submit(job_text("halted", "sleep 600"))
    client.wait("halted", "RUNNING")
    assert daemon.down(running.folder, stop_jobs=True).active_jobs == 0
    _, client = started()
    assert client.status("halted")["state"] == "STOPPED"


def test_lost_supervisor_causes_platform_retry(started, job_text, tmp_path, is_alive):
    """Killing a supervisor is a platform failure: leftovers are ended, the job tries again."""
    _, client = started()
    flag, pids = tmp_path / "flag", tmp_path / "pids"
    client.submit(
        job_text(
            "lost",
            f"test -e {flag} && exit 0",
            f"touch {flag}",
            f"setsid sleep 600 & echo $! > {pids}; wait",
        )
    )
    client.wait("lost", "RUNNING")
    pid = int(wait_until(lambda: pids.exists() and pids.read_text()))
    (record,) = (tmp_path / "state").glob("jobs/*/*/started.json")
    os.kill(json.loads(record.read_text())["pid"], signal.SIGKILL)
    status = client.wait("lost")["jobStatus"]
    assert status["state"] == "SUCCEEDED"
    assert status["retryDetails"]["platform"] == 1
    assert not is_alive(pid)
    first = client("GET", client.path("lost") + "/attempts/0").json()
    assert first["jobStatus"]["appExitCode"] == -101


def test_tasks_are_lost_after_reboot(started, job_text, tmp_path):
    """With another boot id an unfinished task has -1001, and the job is tried again."""
    running, client = started()
    flag = tmp_path / "flag"
    client.submit(job_text("boot", f"test -e {flag} && exit 0", f"touch {flag}; sleep 600"))
    client.wait("boot", "RUNNING")
    wait_until(flag.exists)
    _kill(running)
    (record,) = (tmp_path / "state").glob("jobs/*/*/started.json")
    started_record = json.loads(record.read_text())
    os.kill(started_record["pid"], signal.SIGKILL)
    record.write_text(json.dumps({**started_record, "boot": "another"}))
    _, client = started()
    status = client.wait("boot")["jobStatus"]
    assert (status["state"], status["retryDetails"]["platform"]) == ("SUCCEEDED", 1)
    first = client("GET", client.path("boot") + "/attempts/0").json()
    assert first["jobStatus"]["appExitSpec"]["phrase"] == "PodNodeLost"


def test_second_server_in_folder_is_refused(started, tmp_path):
    """A second up is refused, and names where the first one is."""
    running, _ = started()
    with pytest.raises(OpenPaiError, match=running.uri):
        daemon.up(tmp_path / "state")
