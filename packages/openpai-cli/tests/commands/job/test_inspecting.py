"""`opai job events|tasks|tag|open|ssh|clone|start`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process


def test_tasks_lists_tasks(opai, job):
    """The list of tasks is the one in `job status`."""
    name = job("true", instances=2)
    opai("job", "wait", name)
    rows = opai("job", "tasks", name, "-o", "json").json
    assert [row["task"] for row in rows] == ["main-0", "main-1"]
    assert opai("job", "tasks", name, "--attempt", 7).exit_code == 4


def test_events_lists_and_filters(opai, job):
    """Events have the documented fields, and can be filtered."""
    name = job("true")
    opai("job", "wait", name)
    rows = opai("job", "events", name, "-o", "json").json
    assert rows
    warnings = opai("job", "events", name, "--type", "Warning", "-o", "json").json
    assert all(row["type"] == "Warning" for row in warnings)


def test_tag_adds_and_deletes(opai, job):
    """Words are added, --delete takes off, and without either the tags are listed."""
    name = job("true")
    assert opai("job", "tag", name, "good", "draft").exit_code == 0
    assert opai("job", "tag", name, "--delete", "draft").exit_code == 0
    assert opai("job", "tag", name, "-o", "name").stdout == "good\n"
    assert opai("job", "tag", name, "--delete", "draft").exit_code == 4


def test_open_prints_address(opai, job, local):
    """Without a terminal nothing is opened, and the address is data."""
    name = job("true")
    result = opai("job", "open", name)
    assert result.exit_code == 0
    assert result.stdout.startswith(local.uri)
    assert f"jobName={name}" in result.stdout
    assert opai("job", "open", "nosuchjob").exit_code == 4


def runs(result):
    """Return the result of a command that needs a running task, unless the task is yet to run."""
    return None if result.exit_code == 4 and "runs" in result.stderr else result


def test_ssh_dry_run_prints_command(opai, job, local, tmp_path):
    """--dry-run prints the whole command with the port of the task."""
    key = tmp_path / "key"
    key.touch()
    name = job("sleep 600")
    ssh = ("job", "ssh", name, "-i", key, "--dry-run", "--", "echo", "a b")
    result = wait_until(lambda: runs(opai(*ssh)), "the task runs")
    (row,) = opai("job", "tasks", name, "-o", "json").json
    assert result.stdout == f"ssh -p {row['sshPort']} -i {key} root@127.0.0.1 echo 'a b'\n"
    opai("job", "stop", name)


def test_ssh_to_ended_task_exits_4(opai, job):
    """An ended job, or an unknown role, is 4."""
    name = job("true")
    opai("job", "wait", name)
    assert opai("job", "ssh", name, "--dry-run").exit_code == 4


def test_clone_applies_updates(opai, local):
    """The copy has the code of the first job, another name, and what --update says."""
    Path("code.sh").write_text("exit $CODE\n")
    first = opai(
        *("job", "sub", "--image", "img", "--src", "code.sh", "-e", "CODE=3", "--wait"),
        *("bash", "code.sh"),
    )
    assert first.exit_code == 3
    name = first.stdout.strip()
    again = opai("job", "clone", name, "--wait")
    assert again.exit_code == 3
    assert again.stdout.startswith(f"{name}_")
    commands = opai("job", "config", name, "-o", "json").json["taskRoles"]["main"]["commands"]
    changed = f"taskRoles.main.commands[{len(commands) - 2}]=export CODE=4"
    assert opai("job", "clone", name, "--update", changed, "--wait").exit_code == 4


def test_clone_of_job_with_secrets_is_refused(opai, job, local):
    """A server does not give secrets back; the clone says so instead of running without."""
    Path("job.yaml").write_text(
        "protocolVersion: 2\nname: with_secret\ntype: job\n"
        "prerequisites: [{name: image, type: dockerimage, uri: img}]\n"
        "taskRoles:\n  main:\n    instances: 1\n    dockerImage: image\n"
        "    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}\n"
        "    commands: ['test <% $secrets.word %> = sesame']\n"
        "secrets:\n  word: sesame\n"
    )
    assert opai("job", "submit", "job.yaml", "--wait").exit_code == 0
    refused = opai("job", "clone", "with_secret")
    assert refused.exit_code == 2
    assert "secret" in refused.stderr


@pytest.mark.parametrize(("end", "code"), [("true", 5), ("sleep 600", 0)])
def test_start_of_ended_job_is_refused(opai, job, end, code):
    """`start` takes a stop back where that can still be; an ended job is a conflict."""
    name = job(end)
    if end == "true":
        opai("job", "wait", name)
    result = opai("job", "start", name)
    assert result.exit_code == code
    if code:
        assert "opai job clone" in result.stderr
    opai("job", "stop", name)


def test_status_shows_record_of_runtime(opai, local):
    """The block that the runtime printed in the container is read from the job's workspace."""
    pytest.importorskip("openpai.runtime")
    name = "status_tells_the_record"
    sub = ("job", "sub", "--job-name", name, "-i", "none", "--output", "a", "--wait")
    assert opai(*sub, "--", "sh", "-c", "echo x >a; cat no-such-file").exit_code == 1
    reported = opai("job", "status", name).stderr
    assert "  The command failed with exit code 1 after " in reported
    assert "  Log: cat: no-such-file: No such file or directory" in reported


def test_logs_since_filters_lines(opai, job):
    """--since goes by the times in lines, and by when tasks began and ended."""
    running = job("echo 2020-01-01 00:00:00 old", "echo 2150-01-01 00:00:00 new", "sleep 600")
    future = ("job", "logs", running, "--since", "2100-01-01")
    wait_until(lambda: opai(*future).stdout, show=lambda: opai("job", "logs", running))
    assert opai(*future).stdout == "2150-01-01 00:00:00 new\n"
    assert "old" in opai("job", "logs", running, "--since", "1h").stdout  # the task is younger
    opai("job", "stop", running, "--wait")
    assert opai(*future, "-f").stdout == ""
    assert opai("job", "logs", running, "--since", "yesterday").exit_code == 2


def test_attempts_lists_attempts_and_logs(opai, local):
    """When each attempt began, how it ended, and what it wrote."""
    sub = ("job", "sub", "--image", "any", "--cpu", "1", "--mem", "64m", "--retries", "1")
    command = "echo attempt $FC_FRAMEWORK_ATTEMPT_ID; exit $((3 - FC_FRAMEWORK_ATTEMPT_ID))"
    done = opai(*sub, "--wait", command)
    assert done.exit_code == 2
    name = done.stdout.strip()
    rows = opai("job", "attempts", name, "-o", "json").json
    assert [(row["attempt"], row["state"], row["exitCode"]) for row in rows] == [
        (0, "FAILED", 3),
        (1, "FAILED", 2),
    ]
    assert opai("job", "logs", name, "--attempt", "0").stdout == "attempt 0\n"
    assert opai("job", "logs", name).stdout == "attempt 1\n"
    assert opai("job", "logs", name, "--attempt", "0", "-f").exit_code == 2
