"""execute, info and doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

JOB = """
protocolVersion: 2
name: two
type: job
prerequisites:
  - {name: image, type: dockerimage, uri: "x"}
parameters: {word: hello}
secrets:
  key: hidden-value
taskRoles:
  worker:
    instances: 2
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 100, gpu: 0, ports: {sync: 2}}
    commands:
      - echo <% $parameters.word %> $PAI_TASK_INDEX $PAI_HOST_IP_worker_1
      - echo <% $secrets.key %>
      - grep '^secrets' "$OPENPAI_JOB_CONFIG"
      - test ! -e fail
      - echo x >a
extras:
  com.microsoft.pai.runtimeplugin:
    - plugin: cmd
      parameters: {preCommands: [echo before], postCommands: [echo after]}
"""

MASKED = 'secrets: "******"\n'


def runtime(task: Any, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run openpai-runtime in the task's surroundings."""
    return subprocess.run(
        [sys.executable, "-m", "openpai.runtime", *argv],
        env=task.env,
        cwd=task.work,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def outside(task: Any, tmp_path: Path) -> Any:
    """A laptop: no task's variables, and a job in a file."""
    for name in list(task.env):
        if name.startswith(("PAI_", "FC_", "OPENPAI_JOB")):
            del task.env[name]
    (tmp_path / "job.yaml").write_text(JOB)
    return task


def test_execute_runs_task_plan(outside: Any) -> None:
    """Plugins, parameters, secrets and PAI's variables are as on a cluster."""
    done = runtime(outside, "execute", "../job.yaml", "--task-role", "worker", "--index", "1")
    assert done.stdout == "before\nhello 1 127.0.0.1\nhidden-value\n" + MASKED + "after\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_execute_skips_post_commands_after_failure(outside: Any) -> None:
    """The command's exit code is the task's."""
    (outside.work / "fail").touch()
    done = runtime(outside, "execute", "../job.yaml")
    assert done.returncode == 1
    assert "after" not in done.stdout


def test_execute_applies_runtime_section(outside: Any, tmp_path: Path) -> None:
    """Outputs are saved, with or without the bootstrap."""
    section = "  openpai.runtime: {workspace: 'team:/me', outputs: [{path: a}]}\n"
    (tmp_path / "job.yaml").write_text(JOB + section)
    assert runtime(outside, "execute", "../job.yaml").returncode == 0
    assert (outside.storage / "me/jobs/two/output/worker/0/a").exists()


def test_execute_does_not_wait_for_peers(outside: Any, tmp_path: Path) -> None:
    """A single task of a gang runs alone, and that is said."""
    section = "  openpai.runtime: {workspace: 'team:/me', waitForPeers: 10m, ssh: true}\n"
    (tmp_path / "job.yaml").write_text(JOB + section)
    done = runtime(outside, "execute", "../job.yaml")
    assert (done.returncode, "No other task is started" in done.stderr) == (0, True)


def test_execute_provides_secrets(outside: Any, tmp_path: Path) -> None:
    """From the job's file, as on a cluster from the platform's."""
    section = "  openpai.runtime: {secrets: [{name: key, variable: WORD}]}\n"
    text = JOB.replace("echo <% $parameters.word %>", 'echo "by name $WORD"')
    (tmp_path / "job.yaml").write_text(text + section)
    assert "by name hidden-value" in runtime(outside, "execute", "../job.yaml").stdout


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["none.yaml"], "none.yaml: No such file or directory."),
        (["../job.yaml", "--index", "2"], "has no task worker 2. It has: worker 0, worker 1."),
        (["../job.yaml", "--task-role", "ps"], "has no task ps 0."),
        (["../broken.yaml"], "[openpai-runtime]"),
    ],
)
def test_execute_reports_errors(
    outside: Any, tmp_path: Path, argv: list[str], message: str
) -> None:
    """One clear sentence and exit code 2."""
    (tmp_path / "broken.yaml").write_text("name: x\ntaskRoles: {}\n")
    done = runtime(outside, "execute", *argv)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_info_describes_task(task: Any) -> None:
    """Version, system, programs, the job, and PAI's variables."""
    task.section(outputs=[{"path": "a"}])
    task.run("true")
    printed = runtime(task, "info").stdout
    assert printed.startswith("openpai-runtime ")
    assert "task: worker 0 of 1, job mnist" in printed
    assert "runtime section: version, workspace, outputs" in printed
    assert "PAI_FRAMEWORK_NAME=alice~mnist" in printed


def test_info_lists_storages_and_preparation(task: Any) -> None:
    """Where each storage is, and the steps before the command."""
    task.section()
    task.run("true")
    task.section(mounts=[{"storage": "team", "path": "/nowhere/x"}], requirements=["pandas"])
    task.config.write_text(json.dumps(task.document))
    printed = runtime(task, "info").stdout
    assert f"storage team: {task.storage}\n" in printed
    assert f"before the command:\n  - link /nowhere/x to {task.storage}\n" in printed
    assert "  - install pandas\n" in printed
    task.section(workspace="gone:/x", mounts=[{"storage": "gone", "path": "/y"}])
    task.config.write_text(json.dumps(task.document))
    printed = runtime(task, "info").stdout
    assert "storage gone: The storage 'gone' is not mounted" in printed
    assert "  - nothing: The storage 'gone' is not mounted" in printed


def test_info_outside_job(outside: Any) -> None:
    """Then commands just run."""
    done = runtime(outside, "info")
    assert (done.returncode, done.stderr) == (0, "")
    assert "job config: none" in done.stdout


def test_doctor_finds_nothing_wrong(task: Any, tmp_path: Path) -> None:
    """A job whose needs are met has nothing wrong."""
    mount = {"storage": "team", "path": str(tmp_path / "mounted")}
    task.section(outputs=[{"path": "a"}], mounts=[mount])
    task.run("true")
    done = runtime(task, "doctor")
    assert (done.returncode, done.stdout) == (0, "No problems found.\n")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"outputs": [{"path": "/x"}]},
            "/extras/openpai.runtime/outputs/0/path: Invalid value '/x'",
        ),
        ({"workspace": "other:/x"}, "The storage 'other' is not mounted"),
        ({"code": {"archive": "no.tar.gz", "sha256": "0" * 64}}, "no.tar.gz: No such file"),
        ({"mounts": [{"storage": "other", "path": "/m"}]}, "The storage 'other' is not mounted"),
    ],
)
def test_doctor_reports_problems(task: Any, section: Any, message: str) -> None:
    """What would keep the command from running as it should."""
    task.section(**section)
    task.run("true", env={"PAI_FRAMEWORK_NAME": ""})
    done = runtime(task, "doctor")
    assert done.returncode == 1
    assert message in done.stdout
