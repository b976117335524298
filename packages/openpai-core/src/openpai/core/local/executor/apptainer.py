"""Run tasks in containers of Apptainer, which needs neither a daemon nor root."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Sequence

from openpai.core.errors import ConfigError
from openpai.core.local.executor.container_files import (
    ENTRY,
    container_environment,
    container_mounts,
    write_container_files,
    write_runtime,
)
from openpai.core.local.executor.docker import full_name
from openpai.core.local.executor.engine import Command, Engine, LaunchPlan
from openpai.core.local.executor.process import inherited_environment

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.local.executor.engine import Mount, TaskSpec

__all__ = ["Apptainer"]


class Apptainer(Engine):
    """The command ``apptainer``; a container is a process tree below the supervisor."""

    name = "apptainer"

    def __init__(self) -> None:
        self._runtime: Path | None = None

    def check(self) -> None:
        """Check that the program is installed.

        Raises:
            ConfigError: It is not installed.
        """
        if shutil.which("apptainer") is None:
            raise ConfigError(
                "The container engine apptainer is not installed on this machine.",
                "Install it, or leave --engine out: tasks are processes then.",
            )

    def open(self, folder: Path) -> None:
        """Write the runtime for the containers."""
        self._runtime = write_runtime(folder)

    def prepare(self, task: TaskSpec, scripts: Sequence[Path]) -> LaunchPlan:
        """Return the commands that pull the image into the task's folder and run it."""
        write_container_files(task, scripts, (task.folder / "job.yaml").read_text(encoding="utf-8"))
        image = task.image.uri
        pull: list[Command] = []
        if "://" not in image and not image.startswith("/"):
            file = str(task.folder / "image.sif")
            pull = [Command("image", ("apptainer", "pull", file, f"docker://{full_name(image)}"))]
            image = file
        work = ["--pwd", task.work] if task.work else []
        binds = [word for mount in container_mounts(task, self._runtime) for word in _bind(*mount)]
        gpus = ["--nv"] if task.gpus else []
        run = ["apptainer", "exec", "--containall", "--writable-tmpfs", *work, *binds, *gpus]
        return LaunchPlan(
            commands=[*pull, Command("main", [*run, image, "bash", ENTRY], "main")],
            environment=_environment(task),
            work=str(task.folder / "work"),
            verdict=str(task.folder / "verdict"),
            watched=True,
        )


def _bind(mount: Mount, fixed: bool) -> list[str]:
    place = f"{mount.source}:{mount.target}"
    return ["--bind", place + ":ro" if fixed else place]


def _environment(task: TaskSpec) -> dict[str, str]:
    """Return the environment of ``apptainer``: variables for the container have a prefix."""
    variables = container_environment(task)
    login = {}
    if task.image.user or task.image.password:
        login = {
            "APPTAINER_DOCKER_USERNAME": task.image.user,
            "APPTAINER_DOCKER_PASSWORD": task.image.password,
        }
    return {
        **inherited_environment(),
        **login,
        **{f"APPTAINERENV_{name}": value for name, value in variables.items()},
    }
