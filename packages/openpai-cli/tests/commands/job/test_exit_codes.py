"""What commands that follow a job return, each row through a real process of `opai`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process

OPAI = [sys.executable, "-m", "openpai.cli"]
#: The commands that follow a job; NAME stands for one that was submitted.
FOLLOWING = [("job", "wait", "NAME"), ("job", "logs", "-f", "NAME")]
SUB = ("job", "sub", "--image", "any", "--cpu", "1", "--mem", "64m")
FILE = """\
protocolVersion: 2
name: run
type: job
prerequisites: [{name: image, type: dockerimage, uri: img}]
taskRoles:
  main:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands: [COMMAND]
"""


def run(*words, **options):
    """Run `opai` as a user does."""
    return subprocess.run(
        [*OPAI, *words], capture_output=True, text=True, check=False, timeout=120, **options
    )


@pytest.fixture(scope="module")
def sleeping(submit):
    """The name of a job that runs until the server ends."""
    return submit("echo begun; sleep 600", name="sleeping")


@pytest.fixture(scope="module")
def exiting(submit):
    """Return the name of a job that exits with this code."""
    return cache(lambda code: submit(f"exit {code}", name="exiting"))


@pytest.mark.parametrize("words", FOLLOWING, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("code", [0, 3, 123, 126, 200, 255])
def test_follow_returns_exit_code_of_job(local, exiting, words, code):
    """0 to 123 and 126 to 255 are the job's own."""
    assert run(*words[:-1], exiting(code)).returncode == code


@pytest.mark.parametrize("option", ["--wait", "--follow"])
def test_sub_returns_exit_code_of_job(local, option):
    """`job sub --wait` and `--follow`."""
    assert run(*SUB, option, "exit 7").returncode == 7


def test_run_returns_exit_code_of_job(local):
    """`job run`, without a cluster."""
    Path("job.yaml").write_text(FILE.replace("COMMAND", "exit 8"))
    assert run("job", "run", "job.yaml").returncode == 8


@pytest.mark.parametrize("words", FOLLOWING, ids=lambda words: " ".join(words[:2]))
def test_follow_stopped_job_exits_143(job, words):
    """As of a process that SIGTERM ended."""
    name = job("sleep 600")
    assert run("job", "stop", name).returncode == 0
    done = run(*words[:-1], name)
    assert (done.returncode, "STOPPED" in done.stderr) == (143, True)


def test_wait_timeout_exits_124(local, sleeping):
    """The job continues; -o json says so, too."""
    assert run("job", "wait", sleeping, "--timeout", "0.1").returncode == 124
    done = run("job", "wait", sleeping, "--timeout", "0.1", "-o", "json")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["exitCode"], done.stdout) == (124, 124, "")
    assert "the job continues" in error["message"]


@pytest.mark.parametrize(
    "words",
    [*FOLLOWING, ("job", "wait", "-o", "json", "NAME")],
    ids=lambda words: " ".join(words[:3]),
)
def test_follow_of_vanished_job_exits_125(local, sleeping, words):
    """The job has vanished from the server while it was followed."""
    process = subprocess.Popen(
        [*OPAI, *words[:-1], sleeping], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    asked = local.faults.delay(0, path=f"/jobs/[^/]*{sleeping}$")
    wait_until(lambda: asked.fired >= 3, "the third look at the job")
    local.faults.clear()
    gone = local.faults.answer(404, "gone", path=f"/jobs/[^/]*{sleeping}")
    _, said = process.communicate(timeout=60)
    local.faults.clear()
    assert gone.fired
    assert process.returncode == 125
    assert "connection lost while following" in said
    if "json" in words:
        assert json.loads(said)["error"]["exitCode"] == 125


@pytest.mark.parametrize(
    "words",
    [*FOLLOWING, ("job", "wait", "-o", "json", "NAME")],
    ids=lambda words: " ".join(words[:3]),
)
def test_follow_interrupted_exits_130(opai, local, sleeping, words):
    """The job continues; the commands to follow and to stop it are printed."""
    asked = local.faults.delay(0, path=f"/jobs/[^/]*{sleeping}$")
    process = subprocess.Popen(
        [*OPAI, *words[:-1], sleeping], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: asked.fired >= 3, "the third look at the job")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    local.faults.clear()
    assert process.returncode == 130
    assert f"opai job logs -f -a local alice~{sleeping}" in said
    assert f"opai job stop -a local alice~{sleeping}" in said
    if "json" in words:
        assert json.loads(said)["error"]["exitCode"] == 130
    assert opai("job", "wait", sleeping, "--timeout", "0").exit_code == 124


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("job", "list"), 0),
        (("job", "clone", "ENDED", "--name", "ENDED", "--wait"), 5),
        (("job", "list", "--limit", "x"), 2),
        (("job", "status", "nosuchjob"), 4),
        (("job", "wait", "nosuchjob"), 4),
        (("job", "validate", "missing.yaml"), 2),
    ],
)
def test_other_commands_exit_with_documented_codes(opai, local, exiting, words, code):
    """0 to 6, as documented; a job's code is never among what these return."""
    name = exiting(0)
    assert opai("job", "wait", name).exit_code == 0
    assert run(*(name if word == "ENDED" else word for word in words)).returncode == code


def test_refused_token_exits_3_and_unreachable_cluster_6(local, monkeypatch, home):
    """What to do is said."""
    monkeypatch.setenv("OPENPAI_TOKEN", "rubbish")
    refused = run("job", "list")
    assert (refused.returncode, "opai cluster login" in refused.stderr) == (3, True)
    (home / "clusters.yaml").write_text(
        "- {cluster_alias: dead, pai_uri: 'http://127.0.0.1:1', user: alice}\n"
    )
    assert run("job", "list", "-a", "dead").returncode == 6
