"""Stopping a job ends everything that it started."""

import signal

import pytest
from support.wait import wait_until

from openpai.core.local import LocalCluster

pytestmark = pytest.mark.process

DAEMON = """
python3 -c '
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
'
"""


def _pids(text: str) -> list:
    return [int(word) for word in text.split() if word.isdigit()]


def test_stopped_command_receives_sigterm(client, job_text):
    """A command may tidy up in the grace period; its job is STOPPED with -210, the task -220."""
    client.submit(
        job_text("tidy", "trap 'echo tidied; exit 0' TERM", "echo ready", "sleep 600 & wait")
    )
    client.wait("tidy", "RUNNING")
    wait_until(lambda: "ready" in client.log("tidy"))
    assert client.stop("tidy").status_code == 202
    job = client.wait("tidy")
    assert job["jobStatus"]["state"] == "STOPPED"
    assert job["jobStatus"]["appExitCode"] == -210
    assert client.task("tidy")["containerExitCode"] == -220
    assert "tidied" in client.log("tidy")


def test_task_ignoring_sigterm_is_killed(client, job_text, is_alive):
    """After the grace period SIGKILL ends what is left."""
    client.submit(job_text("deaf", "trap '' TERM", "echo $$", "while true; do sleep 0.1; done"))
    client.wait("deaf", "RUNNING")
    (pid,) = wait_until(lambda: _pids(client.log("deaf")))
    client.stop("deaf")
    assert client.wait("deaf")["jobStatus"]["state"] == "STOPPED"
    assert not is_alive(pid)


def test_stopped_job_is_stopping_until_end(plain_client, job_text, gate):
    """Between the request and the end the job's state is STOPPING."""
    with LocalCluster(grace=600) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        trap = f"trap '{gate.command}; exit 0' TERM"
        client.submit(job_text("slow", f"{trap}; echo ready", "sleep 600 & wait"))
        client.wait("slow", "RUNNING")
        wait_until(lambda: "ready" in client.log("slow"))
        client.stop("slow")
        assert client.wait("slow", "STOPPING")["jobStatus"]["subState"] == "AttemptDeletionPending"
        gate.open()
        client.wait("slow", "STOPPED")
        client.close()


def test_waiting_job_is_stopped_without_running(client, job_text):
    """A job that waits for resources ends at once, and its task never had a place."""
    client.submit(job_text("holder", "sleep 600", cpu=8))
    client.wait("holder", "RUNNING")
    client.submit(job_text("queued", "true", cpu=8))
    client.stop("queued")
    client.wait("queued")
    assert client.status("queued")["state"] == "STOPPED"
    assert client.task("queued")["containerIp"] is None
    client.stop("holder")
    client.wait("holder")


@pytest.mark.parametrize(
    "leftover",
    [
        "sleep 600 & echo $!",
        "nohup setsid sleep 600 >/dev/null 2>&1 & echo $!",
        "(setsid sh -c 'echo $$; exec sleep 600' &)",
        DAEMON,
    ],
    ids=["background", "nohup-setsid", "orphan", "daemon"],
)
def test_leftover_processes_are_killed(client, job_text, leftover, request, is_alive, gate):
    """Whatever a command leaves running, in whatever session, ends with the task."""
    name = f"left-{request.node.callspec.id}"
    client.submit(job_text(name, leftover, gate.command))
    client.wait(name, "RUNNING")
    (pid,) = wait_until(lambda: _pids(client.log(name)))
    assert is_alive(pid)
    gate.open()
    assert client.wait(name)["jobStatus"]["state"] == "SUCCEEDED"
    assert not is_alive(pid)


def test_stop_of_ended_job_changes_nothing(client, job_text):
    """STOP on a finished job is taken and has no effect on its state."""
    client.submit(job_text("done", "true"))
    client.wait("done")
    assert client.stop("done").status_code == 202
    assert client.status("done")["state"] == "SUCCEEDED"
    assert client.status("done")["executionType"] == "STOP"


def test_command_killed_by_signal_is_platform_failure(client, job_text):
    """SIGSEGV (139) is retried up to jobRetryCount and reported with its own code."""
    client.submit(job_text("crash", f"kill -{int(signal.SIGSEGV)} $$"))
    status = client.wait("crash")["jobStatus"]
    assert (status["state"], status["appExitCode"]) == ("FAILED", 139)
