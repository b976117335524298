"""Names that must be there once, and references that must lead somewhere."""

from __future__ import annotations

from typing import Any, NamedTuple

from openpai.core.protocol import js

__all__ = [
    "BrokenReferenceError",
    "References",
    "has",
    "members",
    "resolve_references",
]

_KINDS = ("script", "output", "data", "dockerimage")
_FIELDS = ("script", "output", "data", "dockerImage")


class BrokenReferenceError(Exception):
    """An error of the server about a reference, in its words."""


class References(NamedTuple):
    """The tables that the server makes of a job.

    Attributes:
        prerequisites: By type (``script``, ``output``, ``data``, ``dockerimage``) and name.
        deployments: By name.
    """

    prerequisites: dict[str, dict[str, Any]]
    deployments: dict[str, Any]


def has(container: Any, name: str) -> bool:
    """Return JavaScript's ``name in container``.

    Raises:
        JsError: The container is not an object.
    """
    if isinstance(container, dict):
        return name in container
    if isinstance(container, (list, js.Timestamp, bytes)):
        return js.member(container, name) is not js.UNDEFINED
    raise js.JsError(f"Cannot use 'in' operator to search for '{name}' in {js.text(container)}")


def members(value: Any) -> list[tuple[str, Any]]:
    """Return name and value of what JavaScript's ``Object.keys`` finds.

    Raises:
        JsError: The value is null.
    """
    if isinstance(value, dict):
        return [(key, value[key]) for key in js.keys(value)]
    if value is None:
        raise js.JsError("Cannot convert undefined or null to object")
    if isinstance(value, (list, str, bytes)):
        return [(str(index), item) for index, item in enumerate(value)]
    return []


def resolve_references(document: dict[str, Any]) -> References:
    """Check a job that keeps to the schema.

    Raises:
        BrokenReferenceError: The server refuses it.
        JsError: The server fails.
    """
    prerequisites = _prerequisites(document)
    deployments: dict[str, Any] = {}
    for item in document.get("deployments", ()):
        if item["name"] in deployments:
            raise BrokenReferenceError(f"Duplicate deployments {item['name']}.")
        deployments[item["name"]] = item
    names = {item["name"] for item in document.get("prerequisites", ())}
    roles = members(document["taskRoles"])
    for _, role in roles:
        if has(role, "prerequisites"):
            _check_each(js.member(role, "prerequisites"), names)
    for _, role in roles:
        _check_fields(role, prerequisites)
    _check_default(document, deployments)
    return References(prerequisites, deployments)


def _prerequisites(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
    for item in document.get("prerequisites", ()):
        kind, name = item["type"], item["name"]
        if name in tables[kind]:
            raise BrokenReferenceError(f"Duplicate {kind} prerequisites {name}.")
        tables[kind][name] = item
    return tables


def _check_each(wanted: Any, names: set[str]) -> None:
    if not isinstance(wanted, (list, str)):
        raise js.JsError("protocolObj.taskRoles[taskRole].prerequisites is not iterable")
    for name in wanted:
        if not isinstance(name, str) or name not in names:
            raise BrokenReferenceError(f"Prerequisite {js.text(name)} does not exist.")


def _check_fields(role: Any, prerequisites: dict[str, dict[str, Any]]) -> None:
    for name in _FIELDS:
        if has(role, name):
            wanted = js.text(js.member(role, name))
            if wanted not in prerequisites[name.lower()]:
                raise BrokenReferenceError(f"Prerequisite {wanted} does not exist.")


def _check_default(document: dict[str, Any], deployments: dict[str, Any]) -> None:
    defaults: Any = document.get("defaults", {})
    if has(defaults, "deployment"):
        wanted = js.text(js.member(defaults, "deployment"))
        if wanted not in deployments:
            raise BrokenReferenceError(f"Default deployment {wanted} does not exist.")
