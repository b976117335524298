"""`opai job run`: a job here, without a cluster."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import pexpect
import pytest

pytestmark = pytest.mark.process

FILE = """\
protocolVersion: 2
name: here
type: job
parameters: {{code: 0}}
prerequisites:
  - {{name: image, type: dockerimage, uri: img}}
taskRoles:
  main:
    instances: {instances}
    dockerImage: image
    resourcePerInstance: {{cpu: 100, memoryMB: 900000, gpu: 8}}
    commands:
      - '{command}'
"""


@pytest.fixture
def write():
    """Write the job file of a command."""

    def call(command: str, instances: int = 1, more: str = "") -> Path:
        path = Path("job.yaml")
        path.write_text(FILE.format(command=command, instances=instances) + more)
        return path

    return call


def test_run_uses_working_directory(opai, write):
    """Its tasks see the files of this folder, and what they write stays here; nothing else does."""
    Path("in.txt").write_text("42\n")
    result = opai("job", "run", write("cat in.txt | tee out.txt"))
    assert (result.exit_code, result.stdout) == (0, "42\n")
    assert Path("out.txt").read_text() == "42\n"
    assert sorted(path.name for path in Path().iterdir()) == ["in.txt", "job.yaml", "out.txt"]


def test_run_exits_with_code_of_job(opai, write):
    """A command that fails ends `opai` with its code; --update changes the job on the way."""
    file = write("exit <% $parameters.code %>")
    assert opai("job", "run", file).exit_code == 0
    assert opai("job", "run", file, "--update", "parameters.code=7").exit_code == 7


def test_run_starts_all_tasks_with_pai_environment(opai, write):
    """However much the job asks for, every task runs, and knows which one it is."""
    result = opai("job", "run", write("echo $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX of here", 3))
    assert sorted(result.stdout.splitlines()) == [f"main-{n} | {n} of here" for n in range(3)]


def test_run_ignores_runtime_section(opai, write):
    """Outputs are in this folder anyway; neither storage nor openpai-runtime is needed."""
    section = "extras: {openpai.runtime: {version: 1, outputs: [{path: out.txt}]}}\n"
    result = opai("job", "run", write("echo x > out.txt", more=section))
    assert result.exit_code == 0
    assert Path("out.txt").read_text() == "x\n"


def test_run_leaves_configuration_unchanged(opai, write, home):
    """Running a job here leaves no trace in the user's configuration."""
    assert opai("job", "run", write("true")).exit_code == 0
    assert not home.exists()


def test_run_reports_invalid_file(opai, write):
    """A job that breaks the protocol is 2, as everywhere."""
    result = opai("job", "run", write("true", instances="many"))
    assert result.exit_code == 2
    assert "job.yaml:9" in result.stderr


def test_run_interrupted_ends_all_processes(write):
    """Ctrl-C ends with 130, and no process of the job is left."""
    seconds = str(10**9 + secrets.randbelow(10**9))  # no other test sleeps this long
    write(f"echo begun; exec sleep {seconds}")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "openpai.cli", "job", "run", "job.yaml"],
        env={**os.environ, "TERM": "dumb"},
        encoding="utf-8",
        timeout=60,
    )
    child.expect("begun")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in child.before
    assert not any(seconds in text for text in _command_lines())


def _command_lines() -> list[str]:
    """Return the command lines of all processes of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return found
