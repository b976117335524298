"""Signals, child processes and timers of one process, dealt with one after the other.

There are no threads: what takes long is a child process, so that a signal is passed on at once
whatever else is going on. As PID 1, or as the reaper of its descendants, the loop also collects
processes that it never started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

from openpai.core.processes import become_reaper

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable

__all__ = ["FORWARDED", "Loop", "shell_status"]

_NOT_FORWARDED = ("SIGKILL", "SIGSTOP", "SIGCHLD", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL")
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)  # from its start, whatever they were before

FORWARDED = frozenset(signal.valid_signals() - {getattr(signal, name) for name in _NOT_FORWARDED})
"""Every signal that can be passed on: neither uncatchable nor a fault of this process itself."""


def shell_status(wait_status: int) -> int:
    """Return what a shell would say: the exit status, or 128 and the signal's number."""
    if os.WIFSIGNALED(wait_status):
        return 128 + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)


class Loop:
    """Use it as a context manager: signals are taken in between and given back after it.

    Attributes:
        on_signal: Called with the number of each signal that arrives.
        on_stop: Called with the pid of each watched child that was stopped (not ended).
    """

    def __init__(self) -> None:
        self.on_signal: Callable[[int], None] = _ignore
        self.on_stop: Callable[[int], None] = _ignore
        self._ends: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Loop:
        self._wake, self._bell = os.pipe()
        for end in (self._wake, self._bell):
            os.set_blocking(end, False)
        self._old_bell = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        for number in (*FORWARDED, signal.SIGCHLD):
            self._before[number] = signal.signal(number, lambda *_: None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        become_reaper(False)  # a command may have asked for it; whoever runs us goes on as before
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        signal.set_wakeup_fd(self._old_bell)
        os.close(self._wake)
        os.close(self._bell)

    def fork(self) -> int:
        """Fork; in the child every signal is as it was before the loop.

        A signal that reaches the child before it is itself is delivered then, and never counts as
        one of the parent's.
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
        """Call ``on_end`` with the status, as a shell would say it, when a child has ended."""
        self._ends[pid] = on_end

    def later(self, seconds: float, call: Callable[[], None]) -> int:
        """Call something once after a time; return the timer's number."""
        self._count += 1
        self._timers.append((time.monotonic() + seconds, self._count, call))
        return self._count

    def cancel(self, timer: int) -> None:
        """Forget a timer; one that has gone off is no error."""
        self._timers = [entry for entry in self._timers if entry[1] != timer]

    def has_children(self) -> bool:
        """Whether any child is left that has not ended."""
        return self._collect()

    def run(self, until: Callable[[], bool]) -> None:
        """Deal with what happens until the condition holds; it is asked after every event."""
        self._collect()
        while not until():
            self._wait()
            self._fire()

    def _wait(self) -> None:
        """Sleep until a signal or the next timer."""
        due = min((entry[0] for entry in self._timers), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        select.select([self._wake], [], [], wait)
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self._wake, 4096):
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
        """Take leave of every child that has ended, also of those that were only inherited.

        Returns:
            Whether any is left.
        """
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
