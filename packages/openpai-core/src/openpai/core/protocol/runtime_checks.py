"""Checks of a runtime section that its JSON Schema cannot say."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Sequence, Tuple

from openpai.core.errors import Problem, StorageError
from openpai.core.protocol.runtime_fields import problem
from openpai.core.protocol.runtime_parts import MOUNT_TYPES, Callback, Mount, Retry
from openpai.core.protocol.runtime_section import (
    SECTION_KEY,
    RuntimeSection,
    raw_section,
    read_section,
    secret_value,
)

__all__ = ["validate_runtime_section"]

Path = Tuple[Any, ...]

_PATH: Path = ("extras", SECTION_KEY)


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
    section, problems = read_section(data)
    return problems if section is None else list(_problems(document, section, complete))


def _problems(
    document: Mapping[str, Any], section: RuntimeSection, complete: bool
) -> Iterator[Problem]:
    yield from _workspace(section, complete)
    for index, output in enumerate(section.outputs):
        yield from _roles(document, output.task_roles, (*_PATH, "outputs", index))
    for index, mount in enumerate(section.mounts):
        yield from _mount(mount, (*_PATH, "mounts", index))
    yield from _secrets(document, section)
    if section.retry:
        yield from _retry(section.retry, (*_PATH, "retry"))
    for index, callback in enumerate(section.callbacks):
        path = (*_PATH, "callbacks", index)
        yield from _callback(callback, path)
        yield from _roles(document, callback.task_roles, path)


def _roles(document: Mapping[str, Any], named: Sequence[str], path: Path) -> Iterator[Problem]:
    roles = document.get("taskRoles")
    for place, role in enumerate(named):
        if isinstance(roles, Mapping) and role not in roles:
            yield problem(
                (*path, "taskRoles", place),
                f"There is no task role '{role}'.",
                f"Task roles of this job: {', '.join(map(str, roles))}.",
            )


def _workspace(section: RuntimeSection, complete: bool) -> Iterator[Problem]:
    from openpai.core.storage import Workspace

    if section.workspace:
        try:
            Workspace.parse(section.workspace)
        except StorageError as error:
            yield problem((*_PATH, "workspace"), error.message, error.hint)
    if section.workspace or not complete:
        return
    hint = "Add workspace: NAME:/PATH."
    if section.outputs:
        yield problem((*_PATH, "outputs"), "Outputs need a workspace to be saved in.", hint)
    if section.ssh:
        yield problem((*_PATH, "ssh"), "Tasks need a workspace to exchange keys.", hint)
    if section.code and ":/" not in section.code.archive:
        yield problem((*_PATH, "code"), "This code needs a workspace to be fetched from.", hint)


def _callback(callback: Callback, path: Path) -> Iterator[Problem]:
    if bool(callback.commands) == bool(callback.call):
        hint = "Give it commands to run, or the name of a function to call."
        yield problem(path, "A callback needs either 'commands' or 'call'.", hint)
    if callback.on == "interval" and callback.every is None:
        hint = "Add every: followed by a time such as 10m."
        yield problem(path, "A callback on interval needs the key 'every'.", hint)
    if callback.on != "interval" and callback.every is not None:
        hint = "Remove it, or write on: interval."
        yield problem((*path, "every"), f"'every' means nothing on {callback.on}.", hint)
    if callback.on != "failure" and callback.exit_codes:
        hint = "Remove them, or write on: failure."
        yield problem((*path, "exitCodes"), f"Exit codes mean nothing on {callback.on}.", hint)
    if callback.on not in ("failure", "stop") and callback.signals:
        hint = "Remove them, or write on: failure or stop."
        yield problem((*path, "signals"), f"Signals mean nothing on {callback.on}.", hint)
    if callback.on != "failure" and callback.log_patterns:
        hint = "Remove them, or write on: failure."
        yield problem((*path, "logPatterns"), f"The log means nothing on {callback.on}.", hint)
    yield from _patterns(callback.log_patterns, path)


def _patterns(patterns: Sequence[str], path: Path) -> Iterator[Problem]:
    for index, pattern in enumerate(patterns):
        try:
            re.compile(pattern)
        except (re.error, OverflowError) as error:
            place = (*path, "logPatterns", index)
            hint = "Letters and digits stand for themselves; put a \\ before other characters."
            yield problem(place, f"'{pattern}' is not a regular expression: {error}.", hint)


def _retry(retry: Retry, path: Path) -> Iterator[Problem]:
    for name, condition in (("again", retry.again), ("never", retry.never)):
        if condition:
            yield from _patterns(condition.log_patterns, (*path, name))


def _mount(mount: Mount, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the address of a storage that the runtime is to mount itself."""
    known = MOUNT_TYPES.get(mount.type or "", ())
    for key, values in (("data", mount.data), ("secrets", mount.secrets)):
        if values and not mount.type:
            yield problem((*path, key), f"'{key}' needs the key 'type'.", "Add the type.")
            continue
        for name, value in values.items():
            if name not in known:
                hint = f"Known of {mount.type}: {', '.join(known)}."
                yield problem((*path, key), f"'{name}' is not a key of {mount.type}.", hint)
            elif not isinstance(value, str) or not value:
                yield problem((*path, key), f"'{name}' must be a text.", "Put it in quotes.")
    given = {*mount.data, *mount.secrets}
    if mount.type and not given.issuperset(known[:1]):
        yield problem(path, f"A storage of type {mount.type} needs '{known[0]}'.", "Add data.")


def _secrets(document: Mapping[str, Any], section: RuntimeSection) -> Iterator[Problem]:
    """Yield the secrets that the job does not have; those of a stored job are not known."""
    known = document.get("secrets")
    for index, secret in enumerate(section.secrets):
        path = (*_PATH, "secrets", index)
        if isinstance(known, Mapping) and secret_value(known, secret.name) is None:
            hint = f"Secrets of this job: {', '.join(map(str, known)) or 'none'}."
            yield problem((*path, "name"), f"There is no secret '{secret.name}'.", hint)
        if secret.variable is None and not re.match(r"[A-Za-z_][A-Za-z0-9_]*$", secret.name):
            hint = "Add variable: and the name that the command looks for."
            yield problem(path, f"'{secret.name}' cannot be a variable's name.", hint)
