"""What the cluster remembers: one dataclass a table, a field a column, times in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Group",
    "User",
]


@dataclass
class User:
    """Somebody who may use the cluster; ``password`` is a salted hash."""

    name: str
    password: str = ""
    email: str = ""
    groups: list[str] = field(default_factory=list)
    extension: dict[str, Any] = field(default_factory=dict)


@dataclass
class Group:
    """Users with common rights, which are in ``extension["acls"]``."""

    name: str
    description: str = ""
    external: str = ""
    extension: dict[str, Any] = field(default_factory=dict)
