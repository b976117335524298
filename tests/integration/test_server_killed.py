"""The local server is killed at a bad moment: nothing that it had accepted is lost."""

from __future__ import annotations

import json
import os
import signal

from support.gate import Gate
from support.wait import wait_until


def pid_of(opai) -> int:
    """The process of the server."""
    return json.loads(opai("local", "status", "-o", "json").stdout)["pid"]


def test_killed_server_loses_no_job_and_no_log_line(local_cluster, opai, tmp_path):
    """One job has ended, one runs, one waits for the CPU; kill -9, up again, all three end well."""
    sub = ("job", "sub", "--image", "x:1", "--cpu", "2")
    opai("local", "down")
    opai("local", "up", "--cpus", "2")
    opai(*sub, "--name", "ended", "--wait", "--", "echo", "first")
    gate = Gate(tmp_path / "gate")
    count = f"n=0; until [ -e {gate.path} ]; do n=$((n + 1)); echo $n; sleep 0.1; done; echo end"
    opai(*sub, "--name", "running", count)
    wait_until(lambda: opai("job", "logs", "running", code=None).stdout, "the job runs")
    opai(*sub, "--name", "waiting", "--", "echo", "last")

    os.kill(pid_of(opai), signal.SIGKILL)
    assert opai("job", "list", code=None).returncode == 6
    assert opai("local", "status", code=None).returncode == 1
    opai("local", "up", "--cpus", "2")

    gate.open()
    opai("job", "wait", "running", "waiting", "--timeout", "120s")
    listed = json.loads(opai("job", "list", "-o", "json").stdout)
    assert {job["name"]: job["state"] for job in listed} == {
        "ended": "SUCCEEDED",
        "running": "SUCCEEDED",
        "waiting": "SUCCEEDED",
    }
    assert opai("job", "logs", "ended").stdout == "first\n"
    *numbers, end = opai("job", "logs", "running").stdout.split()
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert end == "end"
    assert opai("job", "logs", "waiting").stdout == "last\n"


def test_restart_keeps_jobs_and_logs(local_cluster, opai):
    """Jobs that ended before are still listed, with their logs."""
    opai("job", "sub", "--image", "x:1", "--name", "before", "--wait", "--", "echo", "kept")
    opai("local", "down")
    opai("local", "up")
    assert json.loads(opai("job", "list", "-o", "json").stdout)[0]["name"] == "before"
    assert opai("job", "logs", "before").stdout == "kept\n"
