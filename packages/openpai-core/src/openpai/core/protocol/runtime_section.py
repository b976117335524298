"""``extras["openpai.runtime"]``: what a job asks of openpai-runtime, checked and typed.

::

    extras:
      openpai.runtime:
        version: 1
        workspace: team-nfs:/users/alice
        code: {archive: code/<sha256>.tar.gz, sha256: …, directory: .}
        outputs:
          - {path: "ckpt/**", when: always}
        callbacks:
          - {"on": failure, exitCodes: [137], commands: [nvidia-smi]}

The client writes the section and the runtime reads it inside the container.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.errors import ProtocolError, StorageError
from openpai.core.protocol.problems import Problem
from openpai.core.protocol.runtime_schema import check, problem, section_schema

__all__ = [
    "SECTION_KEY",
    "Callback",
    "Code",
    "Mount",
    "Output",
    "RuntimeSection",
    "seconds",
    "section_problems",
    "section_schema",
]

SECTION_KEY = "openpai.runtime"
"""The section's key in ``extras``."""

_POINTER = f"/extras/{SECTION_KEY}"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_KEYS = {  # Python name -> key, where they differ
    "read_only": "readOnly",
    "task_roles": "taskRoles",
    "exit_codes": "exitCodes",
    "failure_policy": "failurePolicy",
    "grace_period": "gracePeriod",
}
_DURATIONS = ("every", "timeout", "grace_period")


def seconds(duration: float | str) -> float:
    """Return a duration of the section (``90``, ``"90s"``, ``"5m"``, ``"2h"``) in seconds."""
    if isinstance(duration, str):
        return float(duration[:-1]) * _UNITS[duration[-1]]
    return float(duration)


class _Part:
    """A piece of the section that goes to and from its map; empty values are left out."""

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Any:
        values = {}
        for field in fields(cls):  # type: ignore[arg-type]  # every part is a dataclass
            key = _KEYS.get(field.name, field.name)
            if key in data:
                values[field.name] = _typed(field.name, data[key])
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the map that is written into the job config, without what is at its default."""
        data: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]  # every part is a dataclass
            value = getattr(self, field.name)
            if value != field.default and value not in (None, [], ()):
                data[_KEYS.get(field.name, field.name)] = _plain(value)
        return data


@dataclass(frozen=True)
class Code(_Part):
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


@dataclass(frozen=True)
class Output(_Part):
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


@dataclass(frozen=True)
class Mount(_Part):
    """A storage that the command needs under a path.

    Attributes:
        storage: The storage's name.
        path: An absolute path.
        read_only: Whether the command only reads there.
    """

    storage: str
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class Callback(_Part):
    """Commands to run, or a function to call, at an event.

    Attributes:
        on: The event (:data:`openpai.core.protocol.runtime_schema.EVENTS`).
        commands: The lines of one shell script.
        call: Instead of commands: a name in the entry-point group ``openpai.runtime``.
        task_roles: The task roles that it is for; empty means all.
        exit_codes: For ``failure``: the exit codes that it is for; empty means all.
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


@dataclass(frozen=True)
class RuntimeSection(_Part):
    """The whole section.

    Attributes:
        workspace: ``NAME:/PATH``.
        code: The job's code, if it brings any.
        outputs: What to save.
        requirements: Python packages that the command needs, as pip reads them.
        mounts: Storages that the command needs.
        callbacks: What to run at which event.
        distributed: ``pytorch``, ``tensorflow`` or ``mpi``: whose variables are set.
        timeout: Seconds after which the command is ended; ``None`` for no limit.
        grace_period: Seconds from SIGTERM to SIGKILL that the cluster gives a task.
    """

    workspace: str | None = None
    code: Code | None = None
    outputs: Sequence[Output] = ()
    requirements: Sequence[str] = ()
    mounts: Sequence[Mount] = ()
    callbacks: Sequence[Callback] = ()
    distributed: str | None = None
    timeout: float | None = None
    grace_period: float = 30.0

    @classmethod
    def from_job(cls, document: Mapping[str, Any]) -> RuntimeSection | None:
        """Read the section of a job config; ``None`` when it has none.

        Raises:
            ProtocolError: The section is broken; ``problems`` says where.
        """
        data = raw_section(document)
        if data is None:
            return None
        problems = section_problems(document)
        if problems:
            raise ProtocolError(f"The section extras['{SECTION_KEY}'] is broken.", problems)
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RuntimeSection:
        """Read a section that is known to be right."""
        section: RuntimeSection = cls._read(data)
        return section

    def to_dict(self) -> dict[str, Any]:
        """Return the map that goes under ``extras["openpai.runtime"]``."""
        return {"version": 1, **super().to_dict()}

    def outputs_of(self, role: str) -> list[Output]:
        """Return the outputs that tasks of this role write."""
        return [o for o in self.outputs if not o.task_roles or role in o.task_roles]

    @property
    def is_needed(self) -> bool:
        """Whether the command cannot run right unless the runtime is there."""
        return bool(self.code or self.requirements or self.mounts)


def raw_section(document: Mapping[str, Any]) -> Any:
    """Return what a job config holds under ``extras["openpai.runtime"]``, or ``None``."""
    extras = document.get("extras")
    return extras.get(SECTION_KEY) if isinstance(extras, Mapping) else None


def section_problems(document: Mapping[str, Any], *, complete: bool = True) -> list[Problem]:
    """Return everything that is wrong with the section of a job config; positions are unset.

    Args:
        document: The job config.
        complete: Whether it is as the runtime will read it; before submission, a workspace may be
            missing (:mod:`openpai.core.prepare` fills it in).
    """
    data = raw_section(document)
    if data is None:
        return []
    return list(check(data, _POINTER)) or list(_meaning(document, data, complete))


def _meaning(
    document: Mapping[str, Any], data: Mapping[str, Any], complete: bool
) -> Iterator[Problem]:
    """Yield what the schema cannot say, of a section that meets it."""
    section = RuntimeSection.from_dict(data)
    yield from _workspace(section, complete)
    for index, output in enumerate(section.outputs):
        yield from _roles(document, output.task_roles, f"{_POINTER}/outputs/{index}")
    for index, callback in enumerate(section.callbacks):
        pointer = f"{_POINTER}/callbacks/{index}"
        yield from _callback(callback, pointer)
        yield from _roles(document, callback.task_roles, pointer)


def _roles(document: Mapping[str, Any], named: Sequence[str], pointer: str) -> Iterator[Problem]:
    roles = document.get("taskRoles")
    for place, role in enumerate(named):
        if isinstance(roles, Mapping) and role not in roles:
            yield problem(
                f"{pointer}/taskRoles/{place}",
                f"There is no task role '{role}'.",
                f"Task roles of this job: {', '.join(map(str, roles))}.",
            )


def _workspace(section: RuntimeSection, complete: bool) -> Iterator[Problem]:
    from openpai.core.workspace import Workspace

    if section.workspace:
        try:
            Workspace.parse(section.workspace)
        except StorageError as error:
            yield problem(f"{_POINTER}/workspace", error.message, error.hint)
    if section.workspace or not complete:
        return
    hint = "Add workspace: NAME:/PATH."
    if section.outputs:
        yield problem(f"{_POINTER}/outputs", "Outputs need a workspace to be saved in.", hint)
    if section.code and ":/" not in section.code.archive:
        yield problem(f"{_POINTER}/code", "This code needs a workspace to be fetched from.", hint)


def _callback(callback: Callback, pointer: str) -> Iterator[Problem]:
    if bool(callback.commands) == bool(callback.call):
        hint = "Give it commands to run, or the name of a function to call."
        yield problem(pointer, "A callback needs either 'commands' or 'call'.", hint)
    if callback.on == "interval" and callback.every is None:
        hint = "Add every: followed by a time such as 10m."
        yield problem(pointer, "A callback on interval needs the key 'every'.", hint)
    if callback.on != "interval" and callback.every is not None:
        hint = "Remove it, or write on: interval."
        yield problem(f"{pointer}/every", f"'every' means nothing on {callback.on}.", hint)
    if callback.on != "failure" and callback.exit_codes:
        hint = "Remove them, or write on: failure."
        yield problem(f"{pointer}/exitCodes", f"Exit codes mean nothing on {callback.on}.", hint)


_NESTED: Mapping[str, type[_Part]] = {
    "code": Code,
    "outputs": Output,
    "mounts": Mount,
    "callbacks": Callback,
}


def _typed(name: str, value: Any) -> Any:
    if name in _DURATIONS:
        return seconds(value)
    if isinstance(value, list):
        part = _NESTED.get(name)
        return tuple(part._read(item) if part else item for item in value)
    return _NESTED[name]._read(value) if name in _NESTED else value


def _plain(value: Any) -> Any:
    if isinstance(value, _Part):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
