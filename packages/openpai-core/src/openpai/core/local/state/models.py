"""Records of users and groups: a dataclass per table, a field per column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Group",
    "User",
]


@dataclass
class User:
    """A user; ``password`` is a salted hash."""

    name: str
    password: str = ""
    email: str = ""
    groups: list[str] = field(default_factory=list)
    extension: dict[str, Any] = field(default_factory=dict)


@dataclass
class Group:
    """A group of users; its rights are in ``extension["acls"]``."""

    name: str
    description: str = ""
    external: str = ""
    extension: dict[str, Any] = field(default_factory=dict)
