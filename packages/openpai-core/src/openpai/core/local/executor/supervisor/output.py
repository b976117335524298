"""What a task writes: pipes on one side, bounded logs on the other."""
# ruff: noqa: PTH118
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import os
import select
import time

from openpai.core.local.executor.supervisor.logfile import LogFile

__all__ = ["Output"]

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
