"""What a task writes: pipes on one side, bounded logs on the other."""
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
    """Bytes appended to a file; a full file becomes ``<name>.1``, and what was there is dropped.

    Args:
        path: The file.
        limit: Bytes after which it is full.

    Attributes:
        error: Why bytes could not be written, such as a full disk; empty if all could. The bytes
            are dropped: a task must not die of its log.
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
        """Append bytes; the file is changed over first when they no longer fit."""
        try:
            if self._size and self._size + len(data) > self._limit:
                self._change_over()
            while data:
                written = os.write(self._file, data)
                self._size += written
                data = data[written:]
        except OSError as error:
            self.error = error.strerror or str(error)

    def change_over(self) -> None:
        """Begin a new file before the old one is full."""
        try:
            self._change_over()
        except OSError as error:
            self.error = error.strerror or str(error)

    def _change_over(self) -> None:
        os.replace(self._path, self._path + ".1")  # noqa: PTH105 - pathlib is slow to import
        self.close()
        self._open()

    def close(self) -> None:
        """Close the file; it may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


#: Seconds after which somebody who still writes is no longer listened to.
FLOOD = 0.5


class Output:
    """The pipes of running steps and the logs of a task.

    Args:
        folder: Where the logs are.
        limit: Bytes of a log before it is changed over.

    Attributes:
        wants_new_logs: Set it to have the user's logs changed over at the next look.
        wake: The writing end of a pipe that ends waiting in :meth:`pump`.
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
        self.wants_new_logs = False

    def note(self, text: str) -> None:
        """Write a line of the supervisor's own to ``runtime.log``."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        self._runtime.write(f"[{stamp}] [openpai-local] {text}\n".encode())

    def listen(self, out: int, err: int, *, user: bool) -> None:
        """Take over the reading ends of a step's pipes; ``user`` says whose output it is."""
        self._sinks[out] = [self._stdout, self._all] if user else [self._runtime]
        self._sinks[err] = [self._stderr, self._all] if user else [self._runtime]

    def pump(self, wait: float | None) -> bool:
        """Move what there is to read, waiting at most so long; return whether there was any."""
        ready, _, _ = select.select([self._woken, *self._sinks], [], [], wait)
        if self.wants_new_logs:
            self.wants_new_logs = False
            for log in (self._stdout, self._stderr, self._all):
                log.change_over()
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

    def drain(self, patience: float) -> None:
        """Take what is left in the pipes, waiting so long for their writers to let go."""
        deadline = time.monotonic() + patience
        while self._sinks and self.pump(max(0.0, deadline - time.monotonic())):
            if time.monotonic() > deadline + FLOOD:
                return

    def close(self) -> str:
        """Close the logs; return why output was lost, if it was."""
        logs = (self._stdout, self._stderr, self._all, self._runtime)
        for log in logs:
            log.close()
        return next((log.error for log in logs if log.error), "")
