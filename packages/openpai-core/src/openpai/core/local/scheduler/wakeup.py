"""Named pipe by which supervisors and request handlers wake the controller."""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WakeupPipe"]


class WakeupPipe:
    """A named pipe; supervisors write the uid of a task with news, one per line.

    Args:
        path: The existing pipe.
    """

    def __init__(self, path: Path) -> None:
        # Also for writing: without a writer of its own, the pipe would always be at its end.
        self._pipe = os.open(str(path), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rest = b""

    def notify(self) -> None:
        """Wake the controller."""
        with contextlib.suppress(BlockingIOError):  # full: the controller wakes anyway
            os.write(self._pipe, b"\n")

    def wait(self, seconds: float | None) -> set[str]:
        """Wait at most ``seconds``; return the uids of the tasks with news."""
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
