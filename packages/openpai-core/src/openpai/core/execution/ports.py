"""Ports of a task (rest-server/src/models/v2/utils/frameworkConverter.js).

PAI does not reserve ports: it computes them from the task's uid.
"""

from __future__ import annotations

import hashlib
from typing import Mapping

__all__ = ["PORT_END", "PORT_START", "task_ports"]

PORT_START = 15000
PORT_END = 40000


def task_ports(
    uid: str, counts: Mapping[str, int], start: int = PORT_START, end: int = PORT_END
) -> dict[str, tuple[int, ...]]:
    """Return the ports of a task by label.

    Args:
        uid: The uid of the task's pod; a new one, and so new ports, for each attempt.
        counts: Label → number of ports.
        start: The lowest port.
        end: One above the highest port.
    """
    return {
        label: tuple(
            start + _digest(f"[{uid}][{label}][{i}]") % (end - start) for i in range(count)
        )
        for label, count in counts.items()
    }


def _digest(text: str) -> int:
    """Return the sum of the three parts of an MD5: 12, 12 and 8 hex digits."""
    digits = hashlib.new("md5", text.encode()).hexdigest()  # noqa: S324 - PAI chose it
    return int(digits[:12], 16) + int(digits[12:24], 16) + int(digits[24:], 16)
