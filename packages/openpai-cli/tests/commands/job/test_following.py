"""Commands that see a job to its end, and the exit codes they bring back."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.gate import Gate
from support.wait import wait_until

pytestmark = pytest.mark.process


@pytest.mark.parametrize("code", [0, 1, 3, 77, 255])
def test_wait_returns_exit_code_of_job(opai, job, code):
    """The user's own code comes back, also where PAI files it under another."""
    assert opai("job", "wait", job(f"exit {code}")).exit_code == code


def test_wait_for_several_returns_first_failure(opai, job):
    """All are waited for; the order is that of the command line."""
    names = [job(f"exit {code}", suffix=f"_{code}") for code in (0, 4, 5)]
    result = opai("job", "wait", *names)
    assert result.exit_code == 4
    assert "FAILED with exit code 5" in result.stderr


def test_wait_as_json(opai, job):
    """With -o json state and exit code of each job are data."""
    name = job("exit 9")
    (row,) = opai("job", "wait", name, "-o", "json").json
    assert (row["job"], row["state"], row["exitCode"]) == (f"alice~{name}", "FAILED", 9)


def test_wait_for_stopped_job_exits_143(opai, job):
    """STOPPED is 143, what a process ended by SIGTERM returns."""
    name = job("sleep 600")
    assert opai("job", "stop", name).exit_code == 0
    result = opai("job", "wait", name)
    assert result.exit_code == 143
    assert "STOPPED" in result.stderr


def test_wait_past_timeout_exits_124(opai, job):
    """When the time runs out the job continues, and the message says so."""
    name = job("sleep 600")
    result = opai("job", "wait", name, "--timeout", "0.3")
    assert result.exit_code == 124
    assert "the job continues" in result.stderr
    opai("job", "stop", name)


def test_wait_for_unknown_job_exits_4(opai, local):
    """An unknown name is 4 at once, whatever other names are given."""
    result = opai("job", "wait", "nosuchjob")
    assert result.exit_code == 4
    assert "nosuchjob" in result.stderr


def test_logs_follow_prints_log_until_end(job, tmp_path):
    """`job logs -f` begins at the start, ends with the job, and returns its code."""
    gate = Gate(tmp_path / "go")
    name = job("echo one", gate.command, "echo two", "exit 6")
    line = [sys.executable, "-m", "openpai.cli", "job", "logs", "-f", name]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "one\n"
        gate.open()
        assert process.stdout.read() == "two\n"
    assert process.returncode == 6


def test_logs_of_failed_job_exit_0(opai, job):
    """Reading the log of a failed job succeeds."""
    name = job("echo out", "echo err >&2", "exit 6")
    opai("job", "wait", name)
    result = opai("job", "logs", name)
    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()) == ["err", "out"]


def test_logs_select_stream(opai, job):
    """--stream stdout leaves stderr out."""
    name = job("echo out", "echo err >&2")
    opai("job", "wait", name)
    assert opai("job", "logs", name, "--stream", "stdout").stdout == "out\n"
    assert opai("job", "logs", name, "--stream", "stderr").stdout == "err\n"


def test_logs_tail_keeps_last_lines(opai, job):
    """--tail N keeps N lines of every task."""
    name = job("for i in 1 2 3; do echo line $i; done")
    opai("job", "wait", name)
    assert opai("job", "logs", name, "--tail", 2).stdout == "line 2\nline 3\n"


def test_logs_prefix_lines_of_several_tasks(opai, job):
    """With more than one task each line begins with its task; a single one can be chosen."""
    name = job("echo I am $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX", instances=2)
    opai("job", "wait", name)
    lines = opai("job", "logs", name).stdout.splitlines()
    assert sorted(lines) == ["main-0 | I am 0", "main-1 | I am 1"]
    only = opai("job", "logs", name, "--role", "main", "--index", 1)
    assert only.stdout == "main-1 | I am 1\n"


def test_logs_of_unknown_task_exit_4(opai, job):
    """Asking for the log of an unknown task names those there are."""
    name = job("true")
    opai("job", "wait", name)
    result = opai("job", "logs", name, "--role", "worker")
    assert result.exit_code == 4
    assert "main-0" in result.stderr


def test_stop_of_ended_job_exits_0(opai, job):
    """Its state is reported."""
    name = job("true")
    opai("job", "wait", name)
    result = opai("job", "stop", name)
    assert result.exit_code == 0
    assert "has already ended: SUCCEEDED" in result.stderr


def test_stop_continues_after_unknown_job(opai, job):
    """The other jobs are stopped, and the exit code is 4."""
    name = job("sleep 600")
    result = opai("job", "stop", "nosuchjob", name, "--wait")
    assert result.exit_code == 4
    assert f"alice~{name} STOPPED" in result.stderr


def test_stop_by_pattern_requires_confirmation(opai, job):
    """Without a terminal and without --yes a pattern stops nothing."""
    name = job("sleep 600")
    result = opai("job", "stop", f"{name[:-1]}?")
    assert result.exit_code == 2
    assert f"alice~{name}" in result.stderr
    assert opai("job", "status", name, "-o", "json").json["state"] in ("WAITING", "RUNNING")
    assert opai("job", "stop", f"{name[:-1]}?", "--yes", "--wait").exit_code == 0
    assert opai("job", "status", name, "-o", "json").json["state"] == "STOPPED"


def test_status_explains_failure(opai, job):
    """One screen: state, exit code, the failed task, its last words, the next command."""
    name = job("echo the disk is full", "exit 28")
    opai("job", "wait", name)
    result = opai("job", "status", name)
    assert "FAILED" in result.stdout
    assert "28" in result.stdout
    assert "main-0" in result.stdout
    assert "the disk is full" in result.stderr
    assert f"opai job logs -a local alice~{name}" in result.stderr


def test_status_as_json_has_exit_codes(opai, job):
    """The JSON of a status holds exactly the keys of docs/cli.md."""
    name = job("exit 5")
    opai("job", "wait", name)
    status = opai("job", "status", name, "-o", "json").json
    assert (status["exitCode"], status["appExitCode"]) == (5, 255)


def test_status_accepts_old_forms(opai, job):
    """`job status JOB config` prints the job file, `job status JOB ssh` where its tasks are."""
    name = job("sleep 600")
    assert f"name: {name}" in opai("job", "status", name, "config").stdout
    shown = opai("job", "status", name, "ssh", "--user", "alice", "-o", "json").json
    assert [row["task"] for row in shown] in ([], ["main-0"])
    opai("job", "stop", name)


def test_status_error_as_json(opai, local):
    """With -o json stdout stays empty and stderr holds one JSON object."""
    result = opai("job", "status", "nosuchjob", "-o", "json")
    assert (result.exit_code, result.stdout) == (4, "")
    error = json.loads(result.stderr)["error"]
    assert (error["type"], error["status"], error["code"]) == (
        "JobNotFoundError",
        404,
        "NoJobError",
    )


@pytest.mark.parametrize("option", ["--prefix", "--tag", "pattern"])
def test_stop_selects_jobs(opai, job, option):
    """By prefix, tag or pattern; other jobs continue; without --yes they are only listed."""
    name, other = job("sleep 600"), job("sleep 600", suffix="_other")
    opai("job", "tag", name, name)
    words = [f"{name[:-1]}?"] if option == "pattern" else [option, name]
    words = ["job", "stop", *words]
    refused = opai(*words)
    assert (refused.exit_code, f"alice~{name}" in refused.stderr) == (2, True)
    assert f"alice~{other}" not in refused.stderr
    assert opai(*words, "--yes", "--wait").exit_code == 0
    assert opai("job", "status", name, "-o", "json").json["state"] == "STOPPED"
    assert opai("job", "wait", other, "--timeout", "0").exit_code == 124
    opai("job", "stop", other)


def test_stop_filters_by_state(opai, job):
    """All filters must match; no match is reported; no filter at all is wrong usage."""
    name = job("sleep 600")
    wait_until(lambda: opai("job", "status", name, "-o", "json").json["state"] != "WAITING")
    result = opai("job", "stop", "--prefix", name, "--state", "waiting", "--yes")
    assert (result.exit_code, "No active job matches" in result.stderr) == (0, True)
    assert opai("job", "wait", name, "--timeout", "0").exit_code == 124
    assert opai("job", "stop").exit_code == 2
    opai("job", "stop", name)


def test_rerun_is_alias_of_clone(opai, job):
    """The word that other tools have for it."""
    name = job("true")
    again = opai("job", "rerun", name, "--dry-run", "-o", "json")
    assert again.json["name"].startswith(name)
