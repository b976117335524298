"""Event loop for signals, child processes and timers.

It has no threads: long operations are child processes, so that signals are forwarded at once. As
PID 1, or as subreaper, the loop also reaps processes that it did not start.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

from openpai.core.processes import become_reaper

TYPE_CHECKING = False  # importing typing would double the start-up time
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable

__all__ = ["FORWARDED", "EventLoop", "shell_status"]

_NOT_FORWARDED = ("SIGKILL", "SIGSTOP", "SIGCHLD", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL")
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)  # at its start

FORWARDED = frozenset(signal.valid_signals() - {getattr(signal, name) for name in _NOT_FORWARDED})
"""Signals that are forwarded: neither uncatchable nor faults of this process."""


def shell_status(wait_status: int) -> int:
    """Return the exit status as in a shell: 128 + the signal after a signal."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)


class EventLoop:
    """Event loop as a context manager, which restores the signal handlers at its end.

    Attributes:
        on_signal: Called with the number of each signal that arrives.
        on_stop: Called with the pid of each child that was stopped (not ended).
    """

    def __init__(self) -> None:
        self.on_signal: Callable[[int], None] = _ignore
        self.on_stop: Callable[[int], None] = _ignore
        self._ends: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> EventLoop:
        self._wakeup_reader, self._wakeup_writer = os.pipe()
        for end in (self._wakeup_reader, self._wakeup_writer):
            os.set_blocking(end, False)
        self._old_wakeup = signal.set_wakeup_fd(self._wakeup_writer, warn_on_full_buffer=False)
        for number in (*FORWARDED, signal.SIGCHLD):
            self._before[number] = signal.signal(number, lambda *_: None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        become_reaper(False)  # set by a command; the caller may be any program
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._wakeup_reader)
        os.close(self._wakeup_writer)

    def fork(self) -> int:
        """Fork; restore the signal handlers in the child.

        Signals are blocked meanwhile, so that one for the child does not reach the parent's
        handler.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for number, before in self._before.items():
                ignored = before == signal.SIG_IGN and number not in _IGNORED_BY_PYTHON
                signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid

    def watch(self, pid: int, on_end: Callable[[int], None]) -> None:
        """Call ``on_end`` with the exit status, as in a shell, when a child ends."""
        self._ends[pid] = on_end

    def later(self, seconds: float, call: Callable[[], None]) -> int:
        """Call a function once after a delay; return the timer's number."""
        self._count += 1
        self._timers.append((time.monotonic() + seconds, self._count, call))
        return self._count

    def cancel(self, timer: int) -> None:
        """Cancel a timer; does nothing if it has fired."""
        self._timers = [entry for entry in self._timers if entry[1] != timer]

    def has_children(self) -> bool:
        """Whether a child is still running."""
        return self._collect()

    def run(self, until: Callable[[], bool]) -> None:
        """Handle events until a condition holds, which is checked after each event."""
        self._collect()
        while not until():
            self._wait()
            self._fire()

    def _wait(self) -> None:
        """Sleep until a signal or the next timer."""
        due = min((entry[0] for entry in self._timers), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        select.select([self._wakeup_reader], [], [], wait)
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self._wakeup_reader, 4096):
                if number == signal.SIGCHLD:
                    self._collect()
                else:
                    self.on_signal(number)

    def _fire(self) -> None:
        now = time.monotonic()
        for entry in sorted(self._timers[:]):
            if entry[0] <= now and entry in self._timers:
                self._timers.remove(entry)
                entry[2]()

    def _collect(self) -> bool:
        """Reap all children that have ended, inherited ones too; return whether any is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if os.WIFSTOPPED(status):
                self.on_stop(pid)
            elif pid in self._ends:
                self._ends.pop(pid)(shell_status(status))


def _ignore(number: int) -> None:
    pass
