"""The task roles of a job document."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

__all__ = ["instances", "task_roles"]


def task_roles(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name as written and the role; an empty list slips through PAI's schema."""
    roles = document["taskRoles"]
    if isinstance(roles, Mapping):
        yield from roles.items()


def instances(role: Mapping[str, Any]) -> int:
    """Return how many tasks a role has."""
    return int(role.get("instances") or 1)
