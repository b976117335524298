"""The pipe by which task supervisors and request handlers wake the controller."""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WakeupPipe"]


class WakeupPipe:
    """A named pipe; supervisors write the uid of the task that has news, one a line.

    Args:
        path: The pipe, which exists.
    """

    def __init__(self, path: Path) -> None:
        # Reading and writing: without a writer of its own the pipe would be at its end for ever.
        self._pipe = os.open(str(path), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rest = b""

    def ring(self) -> None:
        """Wake whoever waits."""
        with contextlib.suppress(BlockingIOError):  # full: it will be heard anyhow
            os.write(self._pipe, b"\n")

    def wait(self, seconds: float | None) -> set[str]:
        """Wait for the bell, or so many seconds; return the uids that were rung."""
        ready, _, _ = select.select([self._pipe], [], [], seconds)
        if not ready:
            return set()
        with contextlib.suppress(BlockingIOError):
            self._rest += os.read(self._pipe, 65536)
        *lines, self._rest = self._rest.split(b"\n")
        return {line.decode("ascii", "replace") for line in lines if line}

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._pipe)
