"""The cluster's clock, which tests can advance."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """The time of day, plus what :meth:`advance` added."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        """Return milliseconds since 1970."""
        return int(time.time() * 1000) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._ahead += int(seconds * 1000)
