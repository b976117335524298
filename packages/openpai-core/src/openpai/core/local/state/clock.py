"""The cluster's clock; tests may move it forward."""

from __future__ import annotations

import re
import time

__all__ = ["Clock", "duration"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Clock:
    """The time of day, moved forward by what :meth:`advance` was told."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        """Return milliseconds since 1970."""
        return int(time.time() * 1000) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._ahead += int(seconds * 1000)


def duration(value: str | float) -> float:
    """Return seconds for a number, or a text such as ``90s``, ``10m``, ``2h`` or ``1d12h``.

    Raises:
        ValueError: The text is no duration.
    """
    if isinstance(value, (int, float)):
        return float(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(f"'{value}' is no duration: write 90s, 10m, 2h or 1d12h.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
