"""The interface of engines, which run tasks as processes or in containers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Mapping, Sequence

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.execution import Limits

__all__ = [
    "SECRETS_FILE",
    "Command",
    "Engine",
    "Image",
    "LaunchPlan",
    "Mount",
    "TaskScript",
    "TaskSpec",
]


SECRETS_FILE = "secrets.yaml"
"""The name of the file with a job's secrets, beside the scripts of a task."""


@dataclass(frozen=True)
class TaskScript:
    """One step to run: its name, its bash text, when it runs, what its failure means."""

    name: str
    script: str = field(repr=False)
    when: str
    failure_policy: str


@dataclass(frozen=True)
class Mount:
    """A storage mounted for a task: the folder ``source`` at the path ``target``."""

    name: str
    source: str
    target: str


@dataclass(frozen=True)
class Image:
    """A container image with the credentials of its registry.

    Attributes:
        uri: As the job writes it, such as ``ubuntu:22.04``.
        registry: The registry's address, if the job names it.
    """

    uri: str
    user: str = ""
    password: str = field(default="", repr=False)
    registry: str = ""


@dataclass(frozen=True)
class TaskSpec:
    """One attempt of a task, ready to be run.

    Attributes:
        uid: Its uid.
        folder: Its folder, see :mod:`openpai.core.local.executor.launcher`.
        environment: Variables of PAI and the local cluster, without those of this machine.
        steps: Its scripts in order.
        mounts: The storages that the job mounts at paths of its own.
        storages: All storages that its user may use, by name.
        image: Its image.
        limits: CPUs, memory and shared memory.
        gpus: Numbers of the GPUs it may use.
        work: The working folder; ``None`` for the engine's default.
        processes: Maximum number of processes.
        ssh: Whether the job uses PAI's ssh plugin.
        secrets: The job's secrets as YAML; empty if it has none.
    """

    uid: str
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    steps: Sequence[TaskScript] = field(repr=False)
    mounts: Sequence[Mount]
    storages: Mapping[str, Path]
    image: Image
    limits: Limits
    gpus: Sequence[int] = ()
    work: str | None = None
    processes: int = 4096
    ssh: bool = False
    secrets: str = field(default="", repr=False)


@dataclass(frozen=True)
class Command:
    """A command line for the supervisor: name, words, when it runs, what its failure means."""

    name: str
    words: Sequence[str]
    when: str = "start"
    failure_policy: str = "fail"


@dataclass(frozen=True)
class LaunchPlan:
    """Commands with which a supervisor runs a task.

    Attributes:
        commands: The commands in order.
        environment: The environment of all of them.
        work: The working folder.
        mounts: Storages that the supervisor mounts itself.
        stopping: The command that stops the task, where SIGTERM to its processes does not.
        ending: The command that runs last, however the task ended, to remove what is left.
        memory_query: A command that prints ``true`` if the task exceeded its memory.
        verdict: The file in which a container reports the step that decided, if any.
        temporary: The folder for the task's temporary files, created for it and removed at its end.
        watched: Whether the supervisor itself enforces the limits.
    """

    commands: Sequence[Command]
    environment: Mapping[str, str] = field(repr=False)
    work: str
    mounts: Sequence[Mount] = ()
    stopping: Sequence[str] = ()
    ending: Sequence[str] = ()
    memory_query: Sequence[str] = ()
    verdict: str = ""
    temporary: str = ""
    watched: bool = False


class Engine(ABC):
    """Runs the commands of tasks.

    Attributes:
        name: As in ``opai local up --engine``.
        warning: An event that every job gets; empty for none.
    """

    name = ""
    warning = ""

    @abstractmethod
    def check(self) -> None:
        """Check that the engine can be used.

        Raises:
            ConfigError: It cannot.
        """

    @abstractmethod
    def prepare(self, task: TaskSpec, scripts: Sequence[Path]) -> LaunchPlan:
        """Write the files of a task into its folder; return how to run it.

        Args:
            task: The task.
            scripts: The files that hold its steps.

        Raises:
            OSError: Something cannot be written.
        """

    def open(self, folder: Path) -> None:
        """Prepare what all tasks share.

        Args:
            folder: The cluster's state folder.
        """

    def clean(self, uid: str) -> None:
        """Remove what a killed supervisor left, other than processes of this machine."""
