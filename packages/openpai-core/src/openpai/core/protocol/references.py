"""Names that must be there once, and references that must lead somewhere.

The server keeps them in JavaScript objects, which have some members of their own: a task role whose
image is called ``toString`` passes its checks.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from openpai.core.protocol import js
from openpai.core.protocol.js_members import OBJECT_MEMBERS, member

__all__ = [
    "BrokenReferenceError",
    "References",
    "Table",
    "has",
    "members",
    "resolve_references",
    "task_roles",
]

_KINDS = ("script", "output", "data", "dockerimage")
_FIELDS = ("script", "output", "data", "dockerImage")


class BrokenReferenceError(Exception):
    """What the server refuses a job for, in its own words."""


class Table:
    """A JavaScript object used as a table.

    Attributes:
        own: What was put into it.
    """

    def __init__(self) -> None:
        self.own: dict[str, Any] = {}
        self._prototype: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.own or name in self._prototype or name in OBJECT_MEMBERS

    def put(self, name: str, value: dict[str, Any]) -> None:
        """Add an entry; ``__proto__`` is none, but gives its members to the table."""
        if name == "__proto__":
            self._prototype = value
        else:
            self.own[name] = value

    def get(self, name: str) -> Any:
        """Return an entry, a member that every object has, or ``UNDEFINED``."""
        if name in self.own:
            return self.own[name]
        if name in self._prototype:
            return self._prototype[name]
        return member({}, name)


class References(NamedTuple):
    """The tables that the server makes of a job.

    Attributes:
        prerequisites: By type (``script``, ``output``, ``data``, ``dockerimage``) and name.
        deployments: By name.
    """

    prerequisites: dict[str, Table]
    deployments: Table


def has(container: Any, name: str) -> bool:
    """Return JavaScript's ``name in container``.

    Raises:
        JsError: The container is no object.
    """
    if isinstance(container, dict):
        return name in container or name in OBJECT_MEMBERS
    if isinstance(container, (list, js.Timestamp, bytes)) or callable(container):
        return member(container, name) is not js.UNDEFINED
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


def task_roles(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the task roles; none where the server was given a number or an empty list."""
    roles = document["taskRoles"]
    return roles if isinstance(roles, dict) else {}


def resolve_references(document: dict[str, Any]) -> References:
    """Check a job that keeps to the schema.

    Raises:
        BrokenReferenceError: The server refuses it.
        JsError: The server fails.
    """
    prerequisites = _prerequisites(document)
    deployments = Table()
    for item in document.get("deployments", ()):
        if item["name"] in deployments.own:
            raise BrokenReferenceError(f"Duplicate deployments {item['name']}.")
        deployments.put(item["name"], item)
    names = {item["name"] for item in document.get("prerequisites", ())}
    roles = members(document["taskRoles"])
    for _, role in roles:
        if has(role, "prerequisites"):
            _check_each(member(role, "prerequisites"), names)
    for _, role in roles:
        _check_fields(role, prerequisites)
    _check_default(document, deployments)
    return References(prerequisites, deployments)


def _prerequisites(document: dict[str, Any]) -> dict[str, Table]:
    tables = {kind: Table() for kind in _KINDS}
    for item in document.get("prerequisites", ()):
        kind, name = item["type"], item["name"]
        if name in tables[kind].own:
            raise BrokenReferenceError(f"Duplicate {kind} prerequisites {name}.")
        tables[kind].put(name, item)
    return tables


def _check_each(wanted: Any, names: set[str]) -> None:
    if not isinstance(wanted, (list, str)):
        raise js.JsError("protocolObj.taskRoles[taskRole].prerequisites is not iterable")
    for name in wanted:
        if not isinstance(name, str) or name not in names:
            raise BrokenReferenceError(f"Prerequisite {js.text(name)} does not exist.")


def _check_fields(role: Any, prerequisites: dict[str, Table]) -> None:
    for name in _FIELDS:
        if has(role, name):
            wanted = js.text(member(role, name))
            if wanted not in prerequisites[name.lower()]:
                raise BrokenReferenceError(f"Prerequisite {wanted} does not exist.")


def _check_default(document: dict[str, Any], deployments: Table) -> None:
    defaults: Any = document.get("defaults", {})
    if has(defaults, "deployment"):
        wanted = js.text(member(defaults, "deployment"))
        if wanted not in deployments:
            raise BrokenReferenceError(f"Default deployment {wanted} does not exist.")
