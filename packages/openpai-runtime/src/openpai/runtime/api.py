"""The runtime inside a Python program: callbacks that are functions, on a laptop or in a task.

::

    from openpai.runtime import Runtime

    app = Runtime.from_env()

    @app.on("failure", exit_codes=[137])
    def save_dump(event):
        ...

    app.run(main)

What the job itself declares (callbacks, outputs, code) is done by ``openpai-runtime run``, which
jobs are submitted with; this is for what the program wants to do beside that.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from openpai.core.environment import TaskContext
from openpai.core.protocol.runtime_schema import EVENTS
from openpai.runtime.command import Command
from openpai.runtime.events import Event
from openpai.runtime.exits import CALLBACK_FAILED
from openpai.runtime.loop import Loop
from openpai.runtime.messages import say

__all__ = ["Runtime"]

_OF_THE_JOB = ("timeout", "interval")  # they need the clock of `openpai-runtime run`

Handler = Callable[[Event], object]


class _Waiting(NamedTuple):
    event: str
    handler: Handler
    exit_codes: Sequence[int]
    may_fail: bool


class Runtime:
    """Calls functions when something happens to a piece of Python code.

    Attributes:
        context: The task that this process belongs to; ``None`` outside of a job.
        output_folder: Where outputs go: the task's output folder, or ``output`` in the working
            directory. It may not exist yet.
    """

    def __init__(self, context: TaskContext | None, output_folder: Path) -> None:
        self.context = context
        self.output_folder = output_folder
        self._waiting: list[_Waiting] = []
        self._failed = False
        self._signal: int | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Runtime:
        """Make one for wherever this process runs."""
        environ = os.environ if environ is None else environ
        return cls(
            TaskContext.from_env(environ),
            Path(environ.get("PAI_SDK_JOB_OUTPUT_DIR") or "output"),
        )

    def on(
        self, event: str, *, exit_codes: Sequence[int] = (), may_fail: bool = False
    ) -> Callable[[Handler], Handler]:
        """Let a function be called at an event: a decorator.

        Args:
            event: ``start``, ``retry``, ``stop``, ``success``, ``failure`` or ``exit``.
            exit_codes: For ``failure``: the exit codes that it is for; empty means all.
            may_fail: Whether an exception in the function fails a program that succeeded.

        Raises:
            ValueError: There is no such event, or it has no exit codes.
        """
        known = [name for name in EVENTS if name not in _OF_THE_JOB]
        if event not in known:
            raise ValueError(f"'{event}' is not one of: {', '.join(known)}.")
        if exit_codes and event != "failure":
            raise ValueError(f"Exit codes mean nothing on {event}.")

        def remember(handler: Handler) -> Handler:
            self._waiting.append(_Waiting(event, handler, tuple(exit_codes), may_fail))
            return handler

        return remember

    def run(self, main: Callable[[], Any] | Sequence[str]) -> Any:
        """Run a function, or a command as a child process, with the callbacks around it.

        SIGTERM calls the ``stop`` callbacks. A command gets the signal too; a function is ended by
        ``SystemExit(143)``, so that its ``finally`` blocks run; this needs the main thread.

        Args:
            main: A function without arguments, or a program and its arguments.

        Returns:
            What the function returned, or the command's exit code.

        Raises:
            BaseException: Whatever the function raised, after the callbacks.
            SystemExit: With 194 if a callback that may fail the program failed and nothing else
                did.
        """
        if self.context and self.context.job_attempt + self.context.task_attempt:
            self._fire("retry")
        self._fire("start")
        self._give_up_if_failed()
        result = self._call(main) if callable(main) else self._execute(main)
        if result == 0 or callable(main):
            self._give_up_if_failed()
        return result

    def _give_up_if_failed(self) -> None:
        if self._failed:
            raise SystemExit(CALLBACK_FAILED)

    def _call(self, main: Callable[[], Any]) -> Any:
        before = self._take_sigterm()
        try:
            result = main()
        except BaseException as error:  # told to the callbacks, and raised again
            self._end(_exit_code(error), error)
            raise
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)
        self._end(0)
        return result

    def _execute(self, argv: Sequence[str]) -> int:
        with Loop() as loop:
            command = Command(loop)
            command.on_stop = lambda: self._stopped(command.stop_signal)
            code = command.run(argv, os.environ)
            command.end_leftovers()
        self._end(code)
        return code

    def _take_sigterm(self) -> Any:
        """Handle SIGTERM; return what to give back, or ``None`` if it is not ours to take."""
        if threading.current_thread() is not threading.main_thread():
            return None
        if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
            return None

        def end(number: int, _frame: FrameType | None) -> None:
            self._stopped(number)
            raise SystemExit(128 + number)

        return signal.signal(signal.SIGTERM, end)

    def _stopped(self, number: int | None) -> None:
        self._signal = number
        self._fire("stop")

    def _end(self, code: int, error: BaseException | None = None) -> None:
        self._fire("failure" if code else "success", code, error)
        self._fire("exit", code, error)

    def _fire(self, name: str, code: int | None = None, error: BaseException | None = None) -> None:
        """Call the functions that wait for an event, in the order in which they were given."""
        event = Event(
            name,
            role=self.context.role if self.context else "",
            index=self.context.index if self.context else 0,
            attempt=self.context.job_attempt + self.context.task_attempt if self.context else 0,
            exit_code=code,
            signal=self._signal,
            error=error,
        )
        for waiting in self._waiting:
            if waiting.event == name and (not waiting.exit_codes or code in waiting.exit_codes):
                try:
                    waiting.handler(event)
                except Exception as problem:  # a callback may raise anything, and hides nothing
                    called = getattr(waiting.handler, "__name__", str(waiting.handler))
                    say(f"The callback {called} on {name} failed: {problem!r}")
                    self._failed = self._failed or waiting.may_fail


def _exit_code(error: BaseException) -> int:
    """Return the exit code that Python gives a program which ends by this exception."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 130 if isinstance(error, KeyboardInterrupt) else 1
