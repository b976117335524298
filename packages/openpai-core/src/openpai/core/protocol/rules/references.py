"""References that lead nowhere, and names that are there twice."""

from __future__ import annotations

from typing import Any, Iterator

from openpai.core.protocol.messages import Finding
from openpai.core.protocol.rules.rule import JobView, rule
from openpai.core.suggestions import did_you_mean, nearest_words

__all__ = ["deployment_roles", "references"]

_FIELDS = {
    "dockerImage": "dockerimage",
    "data": "data",
    "script": "script",
    "output": "output",
}


@rule(
    "references",
    "a reference that leads nowhere, or a name that is there twice",
    "refused with 400, one mistake at a time",
)
def references(case: JobView) -> Iterator[Finding]:
    """Find every reference that leads nowhere and every name that is there twice."""
    yield from _twice(case, "prerequisites", lambda item: (item.get("type"), item.get("name")))
    yield from _twice(case, "deployments", lambda item: item.get("name"))
    items = [item for _, item in case.items("prerequisites")]
    every = [str(item.get("name")) for item in items]
    for name, role in case.roles():
        listed = role.get("prerequisites")
        for index, wanted in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(wanted, str) and wanted not in every:
                path = ("taskRoles", name, "prerequisites", index)
                yield _missing(path, f"prerequisite '{wanted}'", wanted, every)
        for field, kind in _FIELDS.items():
            wanted = role.get(field)
            known = [str(item.get("name")) for item in items if item.get("type") == kind]
            if isinstance(wanted, str) and wanted not in known:
                what = f"prerequisite '{wanted}' of type {kind}"
                yield _missing(("taskRoles", name, field), what, wanted, known)
    yield from _default_deployment(case)


def _default_deployment(case: JobView) -> Iterator[Finding]:
    wanted = case.mapping("defaults").get("deployment")
    known = [str(item.get("name")) for _, item in case.items("deployments")]
    if isinstance(wanted, str) and wanted not in known:
        path = ("defaults", "deployment")
        yield _missing(path, f"deployment '{wanted}'", wanted, known)


def _missing(path: tuple[Any, ...], what: str, wanted: str, known: list[str]) -> Finding:
    hint = did_you_mean(wanted, known)
    if not hint:
        hint = f"There is: {', '.join(known)}." if known else "Add it, or remove the reference."
    return Finding(path, f"There is no {what}.", hint)


def _twice(case: JobView, part: str, key: Any) -> Iterator[Finding]:
    seen: dict[Any, int] = {}
    for index, item in case.items(part):
        name = repr(key(item))
        if name in seen and "None" not in name:
            where = f"item {seen[name] + 1} of '{part}'"
            message = f"'{item.get('name')}' is there twice: it is {where} too."
            yield Finding((part, index, "name"), message, "Rename or remove one of them.")
        seen.setdefault(name, index)


@rule(
    "one name, two types",
    "prerequisites of different types with one name",
    "accepted; PAI's runtime looks them up by name alone: the task fails with 254, or runs the "
    "wrong plugin",
)
def _same_name(case: JobView) -> Iterator[Finding]:
    seen: dict[str, Any] = {}
    for index, item in case.items("prerequisites"):
        name, kind = item.get("name"), item.get("type")
        if isinstance(name, str):
            if seen.get(name, kind) != kind:
                message = f"Prerequisite '{name}' is there as {seen[name]} and as {kind}."
                yield Finding(("prerequisites", index, "name"), message, "Rename one of them.")
            seen.setdefault(name, kind)


@rule(
    "deployment roles",
    "a deployment with commands for a task role that does not exist",
    "accepted; its commands never run",
)
def deployment_roles(case: JobView) -> Iterator[Finding]:
    """Find commands in deployments that belong to no task role."""
    known = list(case.mapping("taskRoles"))
    for index, item in case.items("deployments"):
        roles = item.get("taskRoles")
        if not isinstance(roles, dict):
            if "taskRoles" in item:
                message = "'taskRoles' of a deployment must be a mapping of task roles to commands."
                yield Finding(("deployments", index, "taskRoles"), message)
            continue
        for name in roles:
            if known and name not in known:
                hint = did_you_mean(name, known) or f"Task roles are: {', '.join(known)}."
                path = ("deployments", index, "taskRoles", name)
                yield Finding(path, f"There is no task role '{name}'.", hint, at_key=True)


@rule(
    "misspelled keys",
    "a key that is nearly one that PAI reads, where the server takes any key",
    "accepted; the setting is silently without effect",
)
def _misspelled(case: JobView) -> Iterator[Finding]:
    yield from _near(("defaults",), case.mapping("defaults"), ("virtualCluster", "deployment"))
    known = ("name", "taskRoles", "protocolVersion")
    for index, item in case.items("deployments"):
        yield from _near(("deployments", index), item, known)
    for name, role in case.roles():
        options = role.get("extraContainerOptions")
        if isinstance(options, dict):
            path = ("taskRoles", name, "extraContainerOptions")
            yield from _near(path, options, ("shmMB", "infiniband"))
    extras = ("gangAllocation", "storages", "hivedScheduler", "jobStatusChangeNotification")
    read = (*extras, "com.microsoft.pai.runtimeplugin", "openpai.runtime", "submitFrom", "tags")
    yield from _near(("extras",), case.mapping("extras"), read)


def _near(
    path: tuple[Any, ...], mapping: dict[str, Any], known: tuple[str, ...]
) -> Iterator[Finding]:
    for key in mapping:
        near = nearest_words(key, known, similarity=0.85) if key not in known else []
        if near and near[0] not in mapping:
            message = f"'{key}' is not a key that PAI reads."
            yield Finding((*path, key), message, f"Did you mean '{near[0]}'?", at_key=True)
