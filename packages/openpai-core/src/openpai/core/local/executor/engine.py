"""What an engine gets, and what it makes of it."""

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
    """A storage to be shown to a task: the folder ``source`` under the path ``target``."""

    name: str
    source: str
    target: str


@dataclass(frozen=True)
class Image:
    """A container image, and what its registry wants to be shown.

    Attributes:
        uri: As the job writes it, such as ``ubuntu:22.04``.
        registry: The registry's address, where the job says so.
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
        environment: What PAI and the local cluster tell it, without anything of this machine.
        steps: Its scripts, in order.
        mounts: The storages that the job wants at certain paths.
        storages: All storages that its user may use, by name.
        image: Its image.
        limits: Its share of the machine.
        gpus: Numbers of the GPUs it may use.
        work: The folder to work in; ``None`` leaves it to the engine.
        processes: How many processes it may have.
        ssh: Whether the job's tasks want to reach each other by ssh.
        secrets: The job's secrets as a text in YAML; empty if it has none.
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
    """A command line for the supervisor: its name, words, when it runs, what its failure means."""

    name: str
    words: Sequence[str]
    when: str = "start"
    failure_policy: str = "fail"


@dataclass(frozen=True)
class LaunchPlan:
    """How a supervisor runs a task.

    Attributes:
        commands: What it runs, in order.
        environment: The environment of all of them.
        work: Where they run.
        mounts: Storages that the supervisor is to mount itself.
        stopping: What asks the task to end, where SIGTERM to the command's processes does not.
        ending: What it runs at last, however the task ended, so that nothing is left.
        memory_query: A command that prints ``true`` if the task ran out of its memory.
        verdict: The file in which the task says how far it came, if it has one.
        temporary: The folder for the task's temporary files, created for it and removed at its end.
        watched: Whether the supervisor itself has to hold the task to its limits.
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
    """What runs the commands of tasks.

    Attributes:
        name: As in ``opai local up --engine``.
        warning: What every job is told once; empty if there is nothing to tell.
    """

    name = ""
    warning = ""

    @abstractmethod
    def check(self) -> None:
        """Find out whether it can be used.

        Raises:
            ConfigError: It cannot, and why.
        """

    @abstractmethod
    def prepare(self, task: TaskSpec, scripts: Sequence[Path]) -> LaunchPlan:
        """Write what the task needs into its folder, and return how it is run.

        Args:
            task: The task.
            scripts: The files that hold its steps.

        Raises:
            OSError: Something cannot be written.
        """

    def open(self, folder: Path) -> None:
        """Make what all tasks share.

        Args:
            folder: The cluster's state folder.
        """

    def clean(self, uid: str) -> None:
        """End what a lost supervisor left running, beyond processes of this machine."""
