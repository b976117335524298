"""Run the command: forward signals, enforce the time limit, end its processes."""

from __future__ import annotations

import signal
import time

from openpai.core.processes import become_reaper, kill_descendants
from openpai.runtime.exit_codes import TIMED_OUT
from openpai.runtime.log import log
from openpai.runtime.process.event_loop import FORWARDED, EventLoop
from openpai.runtime.process.spawn import Terminal, is_alive, signal_group, start

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from typing import Callable, Mapping, Sequence

__all__ = ["STOP_SIGNALS", "Command", "active_environ", "run_command"]

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""The signals that stop a task; all others are only forwarded."""

_LEFTOVER_TIMEOUT = 2.0
_KILL_TIMEOUT = 10.0


class Command:
    """The command of the task as a child in a process group of its own.

    Args:
        loop: The event loop of this process.
        grace: Seconds from a stop signal to the end of the task. The command is killed after two
            thirds of them, so that time is left to save outputs; ``None`` for no limit.
        timeout: Seconds after which the command is stopped.

    Attributes:
        code: The exit code as in a shell; ``None`` until the command has ended.
        stop_signal: The signal that stopped the task, if any.
        stop_by: Value of ``time.monotonic()`` at which the task should have ended.
        timed_out: Whether the command exceeded its time limit.
        on_stop: Called once, after the first stop signal is forwarded.
        on_timeout: Called once, before the command is stopped.
    """

    def __init__(
        self, loop: EventLoop, *, grace: float | None = None, timeout: float | None = None
    ) -> None:
        self.code: int | None = None
        self.stop_signal: int | None = None
        self.stop_by: float | None = None
        self.timed_out = False
        self.on_stop: Callable[[], None] = _nothing
        self.on_timeout: Callable[[], None] = _nothing
        self._loop = loop
        self._grace = grace
        self._timeout = timeout
        self._pid = 0
        loop.on_signal = self._signalled
        become_reaper()

    def run(self, argv: Sequence[str], environ: Mapping[str, str]) -> int:
        """Run the command to its end and return its exit code.

        A command that was asked to end before it was started is not started: 128 + the signal.
        """
        if self.stop_signal is not None:
            return 128 + self.stop_signal
        terminal = Terminal()
        self._pid = start(self._loop, argv, environ, terminal=terminal)
        self._loop.watch(self._pid, self._ended)
        self._loop.on_stop = lambda pid: terminal.stop_with(pid) if pid == self._pid else None
        if self._timeout is not None:
            self._loop.later(self._timeout, self._time_is_up)
        self._loop.run(lambda: self.code is not None)
        terminal.close()
        assert self.code is not None
        return self.code

    def end_leftovers(self) -> None:
        """End leftover processes: SIGTERM to the command's group, then SIGKILL to all descendants.

        Includes those of the preparation, even if the command was never started.
        """
        if not self._loop.has_children() and not is_alive(self._pid):
            return
        over: list[bool] = []
        signal_group(self._pid, signal.SIGTERM)
        signal_group(self._pid, signal.SIGCONT)
        self._loop.later(_LEFTOVER_TIMEOUT, lambda: over.append(True))
        self._loop.run(lambda: bool(over) or not is_alive(self._pid))
        if not kill_descendants(_KILL_TIMEOUT):
            log("Some processes of the task could not be killed.")

    def _ended(self, code: int) -> None:
        self.code = TIMED_OUT if self.timed_out else code

    def _signalled(self, number: int) -> None:
        if number not in FORWARDED:
            return
        running = self._pid and self.code is None
        if running:
            signal_group(self._pid, number)
        if number in STOP_SIGNALS and self.stop_signal is None:
            self.stop_signal = number
            self._limit()
            self.on_stop()

    def _time_is_up(self) -> None:
        if self.code is not None or self.stop_signal is not None:
            return
        log(f"The command has run for {self._timeout:g} s, its time limit: it is asked to end.")
        self.timed_out = True
        self.on_timeout()
        signal_group(self._pid, signal.SIGTERM)
        self._limit()

    def _limit(self) -> None:
        """Start the grace period."""
        if self._grace is not None:
            self.stop_by = time.monotonic() + self._grace * 0.9
            self._loop.later(self._grace * 2 / 3, self._kill)
            self._loop.later(self._grace * 0.9, _nothing)  # wakes the loop

    def _kill(self) -> None:
        if self._pid and self.code is None:
            log("The command has not ended in time and is killed.")
            signal_group(self._pid, signal.SIGKILL)


def _nothing() -> None:
    pass


def run_command(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command without a runtime section: handle only signals, children and the terminal."""
    with EventLoop() as loop:
        command = Command(loop)
        code = command.run(argv, environ)
        command.end_leftovers()
    return code


def active_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the mark that the runtime is active in this task.

    The mark names the task, so that a job that is started inside it uses its own runtime.
    """
    return {**environ, "OPENPAI_RUNTIME_ACTIVE": environ.get("FC_POD_UID") or "1"}
