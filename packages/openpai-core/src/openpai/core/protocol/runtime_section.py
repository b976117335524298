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

import re
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.errors import Problem, ProtocolError, StorageError
from openpai.core.protocol.runtime_check import problem
from openpai.core.protocol.runtime_parts import (
    Callback,
    Code,
    Condition,
    Git,
    Mount,
    Output,
    Part,
    Retry,
    Secret,
    Tensorboard,
)
from openpai.core.protocol.runtime_schema import MOUNT_TYPES, check, section_schema

__all__ = [
    "SECTION_KEY",
    "Callback",
    "Code",
    "Condition",
    "Git",
    "Mount",
    "Output",
    "Retry",
    "RuntimeSection",
    "Secret",
    "Tensorboard",
    "secret_value",
    "section_schema",
    "validate_runtime_section",
]


def secret_value(secrets: Mapping[str, Any], name: str) -> str | None:
    """Return a secret as text; ``None`` if there is none of that name, or if it is a map.

    Args:
        secrets: The job's secrets.
        name: A key; a dot leads into a map, unless a key is written with it.
    """
    value: Any = secrets.get(name)
    if value is None:
        value = secrets
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    return None if value is None or isinstance(value, (Mapping, list)) else str(value)


SECTION_KEY = "openpai.runtime"
"""The section's key in ``extras``."""

_POINTER = f"/extras/{SECTION_KEY}"


@dataclass(eq=False, repr=False)
class RuntimeSection(Part):
    """The whole section.

    Attributes:
        workspace: ``NAME:/PATH``.
        code: The job's code, if it brings any.
        outputs: What to save.
        requirements: Python packages that the command needs, as pip reads them.
        git: Git repositories that the command needs.
        mounts: Storages that the command needs.
        secrets: Secrets of the job that the command needs as variables.
        callbacks: What to run at which event.
        retry: Whether PAI is to start the task again after a failure.
        distributed: ``pytorch``, ``tensorflow`` or ``mpi``: whose variables are set.
        wait_for_peers: Seconds to wait for the other tasks before the command; ``None``: not.
        ssh: Whether tasks reach each other by ssh.
        tensorboard: TensorBoard beside the command.
        timeout: Seconds after which the command is ended; ``None`` for no limit.
        grace_period: Seconds from SIGTERM to SIGKILL that the cluster gives a task.
    """

    workspace: str | None = None
    code: Code | None = None
    outputs: Sequence[Output] = ()
    requirements: Sequence[str] = ()
    git: Sequence[Git] = ()
    mounts: Sequence[Mount] = ()
    secrets: Sequence[Secret] = ()
    callbacks: Sequence[Callback] = ()
    retry: Retry | None = None
    distributed: str | None = None
    wait_for_peers: float | None = None
    ssh: bool = False
    tensorboard: Tensorboard | None = None
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
        problems = validate_runtime_section(document)
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
    def needs_preparation(self) -> bool:
        """Whether something has to be fetched or waited for before the command."""
        parts = (self.code, self.git, self.requirements, self.mounts, self.wait_for_peers)
        return self.ssh or any(parts)


def raw_section(document: Mapping[str, Any]) -> Any:
    """Return what a job config holds under ``extras["openpai.runtime"]``, or ``None``."""
    extras = document.get("extras")
    return extras.get(SECTION_KEY) if isinstance(extras, Mapping) else None


def validate_runtime_section(
    document: Mapping[str, Any], *, complete: bool = True
) -> list[Problem]:
    """Return everything that is wrong with the section of a job config; positions are unset.

    Args:
        document: The job config.
        complete: Whether it is as the runtime will read it; before submission, a workspace may be
            missing (:mod:`openpai.core.client.prepare` fills it in).
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
    for index, mount in enumerate(section.mounts):
        yield from _mount(mount, f"{_POINTER}/mounts/{index}")
    yield from _secrets(document, section)
    if section.retry:
        yield from _retry(section.retry, f"{_POINTER}/retry")
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
    from openpai.core.storage import Workspace

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
    if section.ssh:
        yield problem(f"{_POINTER}/ssh", "Tasks need a workspace to tell each other keys.", hint)
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
    if callback.on not in ("failure", "stop") and callback.signals:
        hint = "Remove them, or write on: failure or stop."
        yield problem(f"{pointer}/signals", f"Signals mean nothing on {callback.on}.", hint)
    if callback.on != "failure" and callback.log_patterns:
        hint = "Remove them, or write on: failure."
        yield problem(f"{pointer}/logPatterns", f"The log means nothing on {callback.on}.", hint)
    yield from _patterns(callback.log_patterns, pointer)


def _patterns(patterns: Sequence[str], pointer: str) -> Iterator[Problem]:
    for index, pattern in enumerate(patterns):
        try:
            re.compile(pattern)
        except (re.error, OverflowError) as error:
            place = f"{pointer}/logPatterns/{index}"
            hint = "Letters and digits stand for themselves; put a \\ before other characters."
            yield problem(place, f"'{pattern}' is no regular expression: {error}.", hint)


def _retry(retry: Retry, pointer: str) -> Iterator[Problem]:
    for name, condition in (("again", retry.again), ("never", retry.never)):
        if condition:
            yield from _patterns(condition.log_patterns, f"{pointer}/{name}")


def _mount(mount: Mount, pointer: str) -> Iterator[Problem]:
    """Yield what is wrong with the address of a storage that the runtime is to mount itself."""
    known = MOUNT_TYPES.get(mount.type or "", ())
    for key, values in (("data", mount.data), ("secrets", mount.secrets)):
        if values and not mount.type:
            yield problem(f"{pointer}/{key}", f"'{key}' needs the key 'type'.", "Add the type.")
            continue
        for name, value in values.items():
            if name not in known:
                hint = f"Known of {mount.type}: {', '.join(known)}."
                yield problem(f"{pointer}/{key}", f"'{name}' is no key of {mount.type}.", hint)
            elif not isinstance(value, str) or not value:
                yield problem(f"{pointer}/{key}", f"'{name}' must be a text.", "Put it in quotes.")
    given = {*mount.data, *mount.secrets}
    if mount.type and not given.issuperset(known[:1]):
        yield problem(pointer, f"A storage of type {mount.type} needs '{known[0]}'.", "Add data.")


def _secrets(document: Mapping[str, Any], section: RuntimeSection) -> Iterator[Problem]:
    """Yield the secrets that the job does not have; those of a stored job are not known."""
    known = document.get("secrets")
    for index, secret in enumerate(section.secrets):
        pointer = f"{_POINTER}/secrets/{index}"
        if isinstance(known, Mapping) and secret_value(known, secret.name) is None:
            hint = f"Secrets of this job: {', '.join(map(str, known)) or 'none'}."
            yield problem(f"{pointer}/name", f"There is no secret '{secret.name}'.", hint)
        if secret.variable is None and not re.match(r"[A-Za-z_][A-Za-z0-9_]*$", secret.name):
            hint = "Add variable: and the name that the command looks for."
            yield problem(pointer, f"'{secret.name}' cannot be a variable's name.", hint)
