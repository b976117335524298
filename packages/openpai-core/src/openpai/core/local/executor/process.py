"""Run tasks as processes of this machine, without their images."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

from openpai.core.errors import OpenPaiError
from openpai.core.local.executor.engine import Command, Engine, LaunchPlan

if TYPE_CHECKING:
    from openpai.core.local.executor.engine import TaskSpec

__all__ = ["Processes", "inherited_environment"]

#: Prefixes of variables that tasks must not inherit from the server's environment.
_OURS = ("PAI_", "FC_", "OPENPAI_")


def inherited_environment() -> dict[str, str]:
    """Return this process's environment without variables of PAI tasks and of OpenPAI."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


class Processes(Engine):
    """The default engine."""

    name = "process"
    warning = (
        "Docker images are not used on a local cluster: the commands run directly on this machine."
    )

    def __init__(self) -> None:
        self._shell = ""

    def check(self) -> None:
        """Check that bash is installed.

        Raises:
            OpenPaiError: It is not.
        """
        shell = shutil.which("bash")
        if shell is None:
            raise OpenPaiError(
                "The commands of jobs need bash, which is not on PATH.", "Install bash."
            )
        self._shell = shell

    def prepare(self, task: TaskSpec, scripts: Sequence[Path]) -> LaunchPlan:
        """Run each step in a bash of its own."""
        work = task.work or str(task.folder / "work")
        temporary = _temporary_folder(task.uid)
        variables = {"PAI_WORK_DIR": work, "TMPDIR": temporary}
        environment = {**inherited_environment(), **variables, **task.environment}
        if task.ssh:
            environment.update(_ssh(task, environment.get("PATH", os.defpath)))
        runtime = Path(sys.executable).with_name("openpai-runtime")
        if runtime.exists():
            environment["OPENPAI_RUNTIME"] = str(runtime)
        return LaunchPlan(
            commands=[
                Command(step.name, (self._shell, str(file)), step.when, step.failure_policy)
                for step, file in zip(task.steps, scripts)
            ],
            environment=environment,
            work=work,
            mounts=task.mounts,
            temporary=temporary,
            watched=True,
        )

    def clean(self, uid: str) -> None:
        """Remove the temporary files of a task whose supervisor was killed."""
        shutil.rmtree(_temporary_folder(uid), ignore_errors=True)


def _temporary_folder(uid: str) -> str:
    """Return a task's folder for temporary files: short, since sockets may lie in it."""
    return str(Path(os.environ.get("TMPDIR") or tempfile.gettempdir(), f"openpai-task-{uid}"))


def _ssh(task: TaskSpec, path: str) -> dict[str, str]:
    """Return the variables by which the ssh plugin finds its script and commands find ``ssh``."""
    script = Path(__file__).with_name("ssh_plugin.sh")
    folders = (task.folder.parent / "ssh", task.folder / "ssh")
    return {
        "OPENPAI_SSH_PLUGIN": shlex.join(["bash", str(script), *map(str, folders)]),
        "PATH": f"{folders[1] / 'bin'}{os.pathsep}{path}",
    }
