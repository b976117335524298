"""Functions that wait for events inside a Python program, and the threads that call them."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Callable, Sequence

from openpai.core.deadline import DeadlineError, with_deadline
from openpai.core.protocol import EVENTS, SIGNALS, Callback
from openpai.core.units import parse_duration
from openpai.runtime.events.event import Event, meets
from openpai.runtime.log import say

__all__ = ["Handler", "Handlers", "Repeated", "conditions", "duration"]

Handler = Callable[[Event], object]


@dataclass(frozen=True)
class _Waiting:
    on: Callback
    handler: Handler
    timeout: float | None

    @property
    def name(self) -> str:
        return getattr(self.handler, "__name__", str(self.handler))


class Handlers:
    """The functions of one program.

    Attributes:
        failed: Whether one that may fail the program has failed.
    """

    def __init__(self) -> None:
        self.failed = False
        self._waiting: list[_Waiting] = []

    def add(self, callback: Callback, handler: Handler, timeout: float | None) -> None:
        """Let a function wait for an event, under the conditions of a callback."""
        self._waiting.append(_Waiting(callback, handler, timeout))

    def fire(self, event: Event) -> None:
        """Call the functions that wait for an event, in the order in which they were given."""
        for waiting in self._waiting:
            if waiting.on.on == event.name and meets(event, waiting.on):
                self._call(waiting, event)

    def repeated(self, event: Callable[[], Event]) -> list[Repeated]:
        """Return those that are to be called again and again."""

        def call(waiting: _Waiting) -> Callable[[], None]:
            return lambda: self._call(waiting, event())

        return [
            Repeated(waiting.on.every, call(waiting))
            for waiting in self._waiting
            if waiting.on.every
        ]

    def read_log(self) -> bool:
        """Whether some function wants to know what the log says."""
        return any(waiting.on.log_patterns for waiting in self._waiting)

    def _call(self, waiting: _Waiting, event: Event) -> None:
        failed = True
        try:
            if waiting.timeout is None:
                waiting.handler(event)
            else:
                with_deadline(lambda: waiting.handler(event), waiting.timeout)
            failed = False
        except DeadlineError:
            limit = f"{waiting.timeout:g} s, its time limit"
            say(f"The callback {waiting.name} on {event.name} has run for {limit}.")
        except Exception as problem:  # a callback may raise anything, and hides nothing
            say(f"The callback {waiting.name} on {event.name} failed: {problem!r}")
        if failed and waiting.on.failure_policy == "fail":
            self.failed = True


class Repeated:
    """Calls something at an interval in a thread of its own, never twice at once."""

    def __init__(self, every: float, call: Callable[[], None]) -> None:
        self._every = every
        self._call = call
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Start the clock."""
        self._thread.start()

    def end(self) -> None:
        """Stop the clock; a call that is under way may still come to its end."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._call()


def conditions(
    event: str,
    *,
    exit_codes: Sequence[int],
    signals: Sequence[str],
    log_patterns: Sequence[str],
    every: float | str | None,
    may_fail: bool,
) -> Callback:
    """Return the conditions of a function as those of a callback.

    Raises:
        ValueError: There is no such event, or a condition means nothing on it.
    """
    if event not in EVENTS:
        raise ValueError(f"'{event}' is not one of: {', '.join(EVENTS)}.")
    if event != "failure" and (exit_codes or log_patterns):
        raise ValueError(f"Exit codes and the log mean nothing on {event}.")
    if event not in ("failure", "stop") and signals:
        raise ValueError(f"Signals mean nothing on {event}.")
    if (event == "interval") != (every is not None):
        raise ValueError("on('interval', every=…) needs a time such as '5m'; others have none.")
    unknown = [name for name in signals if name not in SIGNALS]
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not one of: {', '.join(SIGNALS)}.")
    for pattern in log_patterns:
        re.compile(pattern)
    return Callback(
        event,
        exit_codes=tuple(exit_codes),
        signals=tuple(signals),
        log_patterns=tuple(log_patterns),
        every=duration(every),
        failure_policy="fail" if may_fail else "ignore",
    )


def duration(time: float | str | None) -> float | None:
    """Return a duration in seconds, as the job's section writes it (``90``, ``"90s"``, ``"5m"``).

    Raises:
        ValueError: It is not a duration above zero.
    """
    if time is None:
        return None
    seconds = parse_duration(time)
    if not seconds:
        raise ValueError(f"invalid duration '{time}': it is zero")
    return seconds
