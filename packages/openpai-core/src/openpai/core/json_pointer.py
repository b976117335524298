"""JSON pointers (RFC 6901): ``/taskRoles/worker/instances``."""

from __future__ import annotations

from typing import Iterable

__all__ = ["json_pointer", "pointer_steps"]


def json_pointer(steps: Iterable[object]) -> str:
    """Return the pointer to a value that the keys and indices lead to."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def pointer_steps(pointer: str) -> list[str]:
    """Return the keys and indices, as text, of a pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
