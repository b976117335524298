"""Copy the output of a task from pipes into rotating logs."""
# ruff: noqa: PTH118
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import os
import select
import time

__all__ = [
    "LogFile",
    "Output",
]


class LogFile:
    """An append-only file; when full it is renamed to ``<name>.1``, replacing an older one.

    Args:
        path: The file.
        limit: Bytes after which it is full.

    Attributes:
        error: Why bytes could not be written, such as a full disk; empty if all were. They are
            dropped: a task must not fail because of its log.
    """

    def __init__(self, path: str, limit: int) -> None:
        self.error = ""
        self._path = path
        self._limit = limit
        self._size = 0
        self._file = -1
        self._open()

    def _open(self) -> None:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            self._size = os.fstat(self._file).st_size
        except OSError as error:
            self.error = error.strerror or str(error)

    def write(self, data: bytes) -> None:
        """Append bytes; rotate first if they do not fit."""
        try:
            if self._size and self._size + len(data) > self._limit:
                self._rotate()
            while data:
                written = os.write(self._file, data)
                self._size += written
                data = data[written:]
        except OSError as error:
            self.error = error.strerror or str(error)

    def rotate(self) -> None:
        """Rotate before the file is full."""
        try:
            self._rotate()
        except OSError as error:
            self.error = error.strerror or str(error)

    def _rotate(self) -> None:
        os.replace(self._path, self._path + ".1")  # noqa: PTH105 - pathlib is slow to import
        self.close()
        self._open()

    def close(self) -> None:
        """Close the file; it may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


#: Seconds after the timeout for which a process that keeps writing is read.
MAX_OVERRUN = 0.5


class Output:
    """The pipes of running steps and the logs of a task.

    Args:
        folder: Where the logs are.
        limit: Bytes of a log before it is rotated.

    Attributes:
        rotation_requested: Set it to rotate the user's logs in the next :meth:`pump`.
        wake: The writing end of a pipe that wakes :meth:`pump`.
    """

    def __init__(self, folder: str, limit: int) -> None:
        self._stdout = LogFile(os.path.join(folder, "user-stdout"), limit)
        self._stderr = LogFile(os.path.join(folder, "user-stderr"), limit)
        self._all = LogFile(os.path.join(folder, "user-all"), limit)
        self._runtime = LogFile(os.path.join(folder, "runtime.log"), limit)
        self._sinks: dict[int, list[LogFile]] = {}
        self._woken, self.wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self._woken, False)
        self.rotation_requested = False

    def note(self, text: str) -> None:
        """Write a line to ``runtime.log``."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        self._runtime.write(f"[{stamp}] [openpai-local] {text}\n".encode())

    def listen(self, out: int, err: int, *, user: bool) -> None:
        """Add the reading ends of a step's pipes; ``user``: whether it is the user's output."""
        self._sinks[out] = [self._stdout, self._all] if user else [self._runtime]
        self._sinks[err] = [self._stderr, self._all] if user else [self._runtime]

    def pump(self, wait: float | None) -> bool:
        """Copy available output, waiting at most ``wait`` seconds; return whether there was any."""
        ready, _, _ = select.select([self._woken, *self._sinks], [], [], wait)
        if self.rotation_requested:
            self.rotation_requested = False
            for log in (self._stdout, self._stderr, self._all):
                log.rotate()
        for source in ready:
            data = os.read(source, 65536)
            if source == self._woken:
                continue
            for log in self._sinks[source]:
                log.write(data)
            if not data:
                os.close(source)
                del self._sinks[source]
        return bool(ready)

    def drain(self, timeout: float) -> None:
        """Copy what is left, waiting at most ``timeout`` seconds for the writers to close."""
        deadline = time.monotonic() + timeout
        while self._sinks and self.pump(max(0.0, deadline - time.monotonic())):
            if time.monotonic() > deadline + MAX_OVERRUN:
                return

    def close(self) -> str:
        """Close the logs; return why output was lost; empty if none was."""
        logs = (self._stdout, self._stderr, self._all, self._runtime)
        for log in logs:
            log.close()
        return next((log.error for log in logs if log.error), "")
