"""The task roles of a job document."""

from __future__ import annotations

from typing import Any, Mapping

__all__ = ["instances", "task_roles"]


def task_roles(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the task roles; none where the server was given a number or an empty list."""
    roles = document["taskRoles"]
    return roles if isinstance(roles, dict) else {}


def instances(role: Mapping[str, Any]) -> int:
    """Return how many tasks a role has."""
    return int(role.get("instances") or 1)
