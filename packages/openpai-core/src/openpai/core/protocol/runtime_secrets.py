"""Secrets of a job by name."""

from __future__ import annotations

from typing import Any, Mapping

__all__ = ["secret_value"]


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
