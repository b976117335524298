"""Event handlers in a Python program, on a laptop or in a task.

::

    from openpai.runtime import Runtime

    app = Runtime.from_env()

    @app.on("failure", exit_codes=[137])
    def save_dump(event):
        ...

    @app.on("interval", every="5m")
    def report(event):
        ...

    app.run(main)

``openpai-runtime run``, which jobs are submitted with, handles what the job itself declares
(callbacks, outputs, code); this adds handlers of the program.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Iterator, Mapping, Sequence

from openpai.core.environment import TaskContext
from openpai.runtime.events import Event, Handler, Handlers, conditions, duration
from openpai.runtime.exit_codes import CALLBACK_FAILED, TIMED_OUT
from openpai.runtime.job import request_retry
from openpai.runtime.process import Command, EventLoop
from openpai.runtime.secrets import read_secret

__all__ = ["Runtime"]


class Runtime:
    """Runs a function or a command, and calls handlers on its events.

    Attributes:
        context: The task of this process; ``None`` outside of a job.
        output_folder: The task's output folder, or ``output`` in the working directory. It may not
            exist yet.
    """

    def __init__(self, context: TaskContext | None, output_folder: Path) -> None:
        self.context = context
        self.output_folder = output_folder
        self._handlers = Handlers()
        self._signal: int | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Runtime:
        """Return the runtime of this process."""
        environ = os.environ if environ is None else environ
        return cls(
            TaskContext.from_env(environ),
            Path(environ.get("PAI_SDK_JOB_OUTPUT_DIR") or "output"),
        )

    def on(
        self,
        event: str,
        *,
        exit_codes: Sequence[int] = (),
        signals: Sequence[str] = (),
        log_patterns: Sequence[str] = (),
        every: float | str | None = None,
        timeout: float | str | None = None,
        may_fail: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Register a function as a handler of an event: a decorator.

        All given conditions must hold.

        Args:
            event: ``start``, ``retry``, ``interval``, ``timeout``, ``stop``, ``success``,
                ``failure`` or ``exit``.
            exit_codes: For ``failure``: exit codes; empty means all.
            signals: For ``failure`` and ``stop``: names of signals; empty means all.
            log_patterns: For ``failure``: regular expressions, one of which matches a line of the
                traceback or near the end of the task's log.
            every: For ``interval``: the time between two calls, made in a thread of its own:
                seconds, or a text such as ``"5m"``.
            timeout: Time to wait for it; it then continues in its own thread. Without a
                timeout it is called in the main thread (except on ``interval``).
            may_fail: Whether an exception in the function fails a program that succeeded.

        Raises:
            ValueError: The event is unknown, or a condition does not apply to it.
        """
        callback = conditions(
            event,
            exit_codes=exit_codes,
            signals=signals,
            log_patterns=log_patterns,
            every=every,
            may_fail=may_fail,
        )
        limit = duration(timeout)

        def register(handler: Handler) -> Handler:
            self._handlers.add(callback, handler, limit)
            return handler

        return register

    def secret(self, name: str) -> str:
        """Return a secret of the job by its name; a dot selects a key of a map.

        Raises:
            OpenPaiError: The job has no such secret.
        """
        return read_secret(name, os.environ)

    def retry_me(self) -> None:
        """Ask PAI to retry this task if it fails, up to the job's limit.

        Raises:
            OpenPaiError: The request cannot be written.
        """
        request_retry("again", os.environ)

    def never_retry_me(self) -> None:
        """Ask PAI not to retry this task if it fails.

        Raises:
            OpenPaiError: The request cannot be written.
        """
        request_retry("never", os.environ)

    def run(
        self, main: Callable[[], Any] | Sequence[str], *, timeout: float | str | None = None
    ) -> Any:
        """Run a function, or a command as a child process, and call the handlers of its events.

        SIGTERM calls the ``stop`` handlers. A command receives the signal; in a function
        ``SystemExit(143)`` is raised, so that its ``finally`` blocks run. ``timeout`` does the same
        with 124. For a function both need the main thread.

        Args:
            main: A function without arguments, or a program and its arguments.
            timeout: Its time limit: seconds, or a text such as ``"2h"``.

        Returns:
            What the function returned, or the command's exit code.

        Raises:
            BaseException: The exception of the function, after the handlers.
            SystemExit: With 194 if only a handler that may fail the program failed; with 124 if the
                function exceeded its time limit.
            ValueError: ``timeout`` is invalid, or this is not the main thread.
        """
        limit = duration(timeout)
        if self.context and self.context.job_attempt + self.context.task_attempt:
            self._fire("retry")
        self._fire("start")
        self._exit_if_failed()
        result = self._call(main, limit) if callable(main) else self._execute(main, limit)
        if result == 0 or callable(main):
            self._exit_if_failed()
        return result

    def _exit_if_failed(self) -> None:
        if self._handlers.failed:
            raise SystemExit(CALLBACK_FAILED)

    def _call(self, main: Callable[[], Any], limit: float | None) -> Any:
        timers = self._handlers.interval_timers(lambda: self._event("interval"))
        try:
            with self._signals(limit):
                for timer in timers:
                    timer.begin()
                result = main()
        except BaseException as error:  # raised again after the handlers
            self._end(_exit_code(error), error)
            raise
        finally:
            for timer in timers:
                timer.end()
        self._end(0)
        return result

    def _execute(self, argv: Sequence[str], limit: float | None) -> int:
        timers = self._handlers.interval_timers(lambda: self._event("interval"))
        with EventLoop() as loop:
            command = Command(loop, timeout=limit)
            command.on_stop = lambda: self._stopped(command.stop_signal)
            command.on_timeout = lambda: self._fire("timeout")
            for timer in timers:  # after the fork: threads and forks do not mix
                loop.later(0, timer.begin)
            code = command.run(argv, os.environ)
            for timer in timers:
                timer.end()
            command.end_leftovers()
        self._end(code)
        return code

    @contextmanager
    def _signals(self, limit: float | None) -> Iterator[None]:
        """Handle SIGTERM, unless the program does, and SIGALRM for a time limit."""
        is_main = threading.current_thread() is threading.main_thread()
        if limit is not None and not is_main:
            raise ValueError("A time limit needs the main thread.")
        previous = []
        if is_main and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            previous.append((signal.SIGTERM, signal.signal(signal.SIGTERM, self._sigterm)))
        if limit is not None:
            previous.append((signal.SIGALRM, signal.signal(signal.SIGALRM, self._sigalrm)))
            signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            yield
        finally:
            if limit is not None:
                signal.setitimer(signal.ITIMER_REAL, 0)
            for number, before in previous:
                signal.signal(number, before)

    def _sigterm(self, number: int, _frame: FrameType | None) -> None:
        self._stopped(number)
        raise SystemExit(128 + number)

    def _sigalrm(self, _number: int, _frame: FrameType | None) -> None:
        self._fire("timeout")
        raise SystemExit(TIMED_OUT)

    def _stopped(self, number: int | None) -> None:
        self._signal = number
        self._fire("stop")

    def _end(self, code: int, error: BaseException | None = None) -> None:
        log = self._log(error) if code else ""
        self._fire("failure" if code else "success", code, error, log)
        self._fire("exit", code, error, log)

    def _log(self, error: BaseException | None) -> str:
        """Return the text for log patterns: the end of the log and the traceback."""
        if not self._handlers.read_log():
            return ""
        from openpai.runtime.diagnosis import log_tail

        shown = traceback.format_exception(type(error), error, error.__traceback__) if error else []
        return log_tail(os.environ) + "\n" + "".join(shown)

    def _fire(
        self,
        name: str,
        code: int | None = None,
        error: BaseException | None = None,
        log: str = "",
    ) -> None:
        self._handlers.fire(self._event(name, code, error, log))

    def _event(
        self,
        name: str,
        code: int | None = None,
        error: BaseException | None = None,
        log: str = "",
    ) -> Event:
        return Event(
            name,
            role=self.context.role if self.context else "",
            index=self.context.index if self.context else 0,
            attempt=self.context.job_attempt + self.context.task_attempt if self.context else 0,
            exit_code=code,
            signal=self._signal,
            error=error,
            log=log,
        )


def _exit_code(error: BaseException) -> int:
    """Return the exit code of a Python program that ends with this exception."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 130 if isinstance(error, KeyboardInterrupt) else 1
