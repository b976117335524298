"""The parts of ``extras["openpai.runtime"]`` as types, to and from their maps."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

from openpai.core.units import parse_duration

__all__ = [
    "Callback",
    "Code",
    "Condition",
    "Git",
    "Mount",
    "Output",
    "Part",
    "Retry",
    "Secret",
    "Tensorboard",
]

_KEYS = {  # Python name -> key, where they differ
    "read_only": "readOnly",
    "task_roles": "taskRoles",
    "exit_codes": "exitCodes",
    "failure_policy": "failurePolicy",
    "grace_period": "gracePeriod",
    "log_patterns": "logPatterns",
    "wait_for_peers": "waitForPeers",
}
_DURATIONS = ("every", "timeout", "grace_period", "wait_for_peers")


class Part:
    """A piece of the section that goes to and from its map; empty values are left out.

    Every task's start waits for these classes to be made, so what dataclasses would make for each
    of them is here once.
    """

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Any:
        values = {}
        for one in fields(cls):  # type: ignore[arg-type]  # every part is a dataclass
            key = _KEYS.get(one.name, one.name)
            if key in data:
                values[one.name] = _typed(one.name, data[key])
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the map that is written into the job config, without what is at its default."""
        data: dict[str, Any] = {}
        for one in fields(self):  # type: ignore[arg-type]  # every part is a dataclass
            value = getattr(self, one.name)
            if value != one.default and value not in (None, [], (), {}):
                data[_KEYS.get(one.name, one.name)] = _plain(value)
        return data


@dataclass(eq=False, repr=False)
class Code(Part):
    """The job's code, packed.

    Attributes:
        archive: A path below the job's folder, an absolute path on the workspace's storage, or
            ``NAME:/PATH``.
        sha256: The archive's SHA-256 in hexadecimal.
        directory: Where to unpack it, relative to the working directory.
    """

    archive: str
    sha256: str
    directory: str = "."


@dataclass(eq=False, repr=False)
class Output(Part):
    """Files to save.

    Attributes:
        path: A path or glob relative to the working directory.
        when: ``always``, ``success`` or ``failure``.
        every: Seconds between two saves while the command runs; ``None`` saves at the end only.
        task_roles: The task roles that write them; empty means all.
    """

    path: str
    when: str = "always"
    every: float | None = None
    task_roles: Sequence[str] = ()


@dataclass(eq=False, repr=False)
class Mount(Part):
    """A storage that the command needs under a path.

    Attributes:
        storage: The storage's name.
        path: An absolute path.
        read_only: Whether the command only reads there.
        type: The storage's type, for the runtime to mount it where the platform does not.
        data: With a type: the address, by the names of the REST API.
        secrets: With a type: further keys of ``data``, and the names of the job's secrets for them.
    """

    storage: str
    path: str
    read_only: bool = False
    type: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class Git(Part):
    """A git repository to check out.

    Attributes:
        repository: What ``git clone`` takes.
        commit: A commit, tag or branch.
        directory: Where to put it, relative to the working directory.
        secret: The secret of the job with a password or access token, if one is needed.
    """

    repository: str
    commit: str
    directory: str = "."
    secret: str | None = None


@dataclass(eq=False, repr=False)
class Tensorboard(Part):
    """TensorBoard beside the command.

    Attributes:
        logdir: The folder with the logs.
        port: The label of the port that it listens on.
    """

    logdir: str
    port: str = "http"


@dataclass(eq=False, repr=False)
class Secret(Part):
    """A secret of the job as a variable.

    Attributes:
        name: The secret's name; a dot leads into a map.
        variable: The variable; ``None``: the name itself.
    """

    name: str
    variable: str | None = None


@dataclass(eq=False, repr=False)
class Condition(Part):
    """What a failure has to be like: each key that is given has to hold.

    Attributes:
        exit_codes: One of them is the command's.
        signals: The name of one of them is that of the signal that ended the command.
        log_patterns: One of these regular expressions is found near the end of the log.
    """

    exit_codes: Sequence[int] = ()
    signals: Sequence[str] = ()
    log_patterns: Sequence[str] = ()


@dataclass(eq=False, repr=False)
class Retry(Part):
    """Whether PAI is to start the task again.

    Attributes:
        again: Failures after which it is started again; ``None``: none.
        never: Failures after which it is not; ``None``: none.
        limit: How often it is started again for this.
    """

    again: Condition | None = None
    never: Condition | None = None
    limit: int = 3


@dataclass(eq=False, repr=False)
class Callback(Part):
    """Commands to run, or a function to call, at an event.

    Attributes:
        on: The event (:data:`openpai.core.protocol.runtime_schema.EVENTS`).
        commands: The lines of one shell script.
        call: Instead of commands: a name in the entry-point group ``openpai.runtime``.
        task_roles: The task roles that it is for; empty means all.
        exit_codes: For ``failure``: the exit codes that it is for; empty means all.
        signals: For ``failure`` and ``stop``: the names of the signals that it is for.
        log_patterns: For ``failure``: regular expressions, one of which is in the end of the log.
        every: For ``interval``: seconds from one call to the next.
        timeout: Seconds after which the callback is ended.
        failure_policy: ``ignore`` or ``fail``.
    """

    on: str
    commands: Sequence[str] = ()
    call: str | None = None
    task_roles: Sequence[str] = ()
    exit_codes: Sequence[int] = ()
    every: float | None = None
    timeout: float = 60.0
    failure_policy: str = "ignore"
    signals: Sequence[str] = ()
    log_patterns: Sequence[str] = ()


_LISTS: Mapping[str, type[Part]] = {
    "outputs": Output,
    "mounts": Mount,
    "callbacks": Callback,
    "git": Git,
    "secrets": Secret,
}
_MAPS: Mapping[str, type[Part]] = {
    "code": Code,
    "retry": Retry,
    "again": Condition,
    "never": Condition,
    "tensorboard": Tensorboard,
}


def _typed(name: str, value: Any) -> Any:
    if name in _DURATIONS:
        return parse_duration(value)
    if isinstance(value, list):
        part = _LISTS.get(name)
        return tuple(part._read(item) if part else item for item in value)
    return _MAPS[name]._read(value) if name in _MAPS else value


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
