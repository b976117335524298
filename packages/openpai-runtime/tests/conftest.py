"""A task without a cluster: a working directory, a storage, a job config, and the real program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

LAUNCH = "import sys; from openpai.runtime.cli.main import main; sys.exit(main())"


class Task:
    """The surroundings of one task; ``start`` and ``run`` start openpai-runtime in them."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.storage = folder / "storage"
        self.config = folder / "job.yaml"
        self.temporary = folder / "tmp"
        for made in (self.work, self.storage, self.temporary):
            made.mkdir()
        self.processes: list[subprocess.Popen[str]] = []
        self.document: dict[str, Any] = {
            "protocolVersion": 2,
            "name": "mnist",
            "taskRoles": {"worker": {"instances": 1}},
        }
        self.env = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.temporary),
            "OPENPAI_JOB_CONFIG": str(self.config),
            "OPENPAI_STORAGES": json.dumps({"team": str(self.storage)}),
            "PAI_FRAMEWORK_NAME": "alice~mnist",
            "PAI_CURRENT_TASK_ROLE_NAME": "worker",
            "PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": "0",
            "FC_POD_UID": "pod-1",
        }

    @property
    def output(self) -> Path:
        """The job's output folder."""
        return self.storage / "users/alice/jobs/mnist/output"

    @property
    def manifest(self) -> dict[str, Any]:
        """What the runtime wrote down about the task."""
        content: dict[str, Any] = json.loads((self.output / ".openpai/worker-0.json").read_text())
        return content

    def section(self, **section: Any) -> None:
        """Give the job a runtime section, with a workspace unless it says otherwise."""
        section = {"version": 1, "workspace": "team:/users/alice", **section}
        self.document["extras"] = {"openpai.runtime": section}

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command under the runtime."""
        self.config.write_text(json.dumps(self.document))
        environ = {**self.env, **options.pop("env", {})}
        process = subprocess.Popen(
            [*options.pop("before", ()), sys.executable, "-c", LAUNCH, "run", "--", *argv],
            env=environ,
            cwd=self.work,
            text=True,
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                **options,
            },
        )
        self.processes.append(process)
        return process

    def run(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command under the runtime to its end."""
        return finish(self.start(*argv, **options))

    def bash(self, script: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a bash script under the runtime to its end."""
        return self.run("bash", "-c", script, **options)


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a process and return what it said."""
    out, err = process.communicate(timeout=180)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(name="finish")
def _finish() -> Callable[[subprocess.Popen[str]], subprocess.CompletedProcess[str]]:
    """Give out :func:`finish`."""
    return finish


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Task]:
    """A task of a job without a runtime section; what is left of it is killed at the end."""
    made = Task(tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Return whether a process has ended; a zombie has."""

    def check(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        return state in "ZX"

    return check
