"""Python functions as event handlers, and the threads that call them."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Callable, Sequence

from openpai.core.deadline import DeadlineError, with_deadline
from openpai.core.protocol import EVENTS, SIGNALS, Callback
from openpai.core.units import parse_duration
from openpai.runtime.events.event import Event, matches
from openpai.runtime.log import log

__all__ = ["Handler", "Handlers", "IntervalTimer", "conditions", "duration"]

Handler = Callable[[Event], object]


@dataclass(frozen=True)
class _Registration:
    on: Callback
    handler: Handler
    timeout: float | None

    @property
    def name(self) -> str:
        return getattr(self.handler, "__name__", str(self.handler))


class Handlers:
    """The event handlers of one program.

    Attributes:
        failed: Whether a handler that may fail the program failed.
    """

    def __init__(self) -> None:
        self.failed = False
        self._registrations: list[_Registration] = []

    def add(self, callback: Callback, handler: Handler, timeout: float | None) -> None:
        """Register a function under the conditions of a callback."""
        self._registrations.append(_Registration(callback, handler, timeout))

    def fire(self, event: Event) -> None:
        """Call the handlers of an event, in the order of registration."""
        for registration in self._registrations:
            if registration.on.on == event.name and matches(event, registration.on):
                self._call(registration, event)

    def interval_timers(self, event: Callable[[], Event]) -> list[IntervalTimer]:
        """Return a timer for each ``interval`` handler."""

        def call(registration: _Registration) -> Callable[[], None]:
            return lambda: self._call(registration, event())

        return [
            IntervalTimer(registration.on.every, call(registration))
            for registration in self._registrations
            if registration.on.every
        ]

    def read_log(self) -> bool:
        """Whether a handler has log patterns."""
        return any(registration.on.log_patterns for registration in self._registrations)

    def _call(self, registration: _Registration, event: Event) -> None:
        failed = True
        try:
            if registration.timeout is None:
                registration.handler(event)
            else:
                with_deadline(lambda: registration.handler(event), registration.timeout)
            failed = False
        except DeadlineError:
            limit = f"{registration.timeout:g} s, its time limit"
            log(f"The callback {registration.name} on {event.name} has run for {limit}.")
        except Exception as problem:  # a callback may raise anything
            log(f"The callback {registration.name} on {event.name} failed: {problem!r}")
        if failed and registration.on.failure_policy == "fail":
            self.failed = True


class IntervalTimer:
    """Calls a function at an interval in its own thread, one call at a time."""

    def __init__(self, every: float, call: Callable[[], None]) -> None:
        self._every = every
        self._call = call
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Start the timer."""
        self._thread.start()

    def end(self) -> None:
        """Stop the timer; a call in progress may still finish."""
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
    """Return the conditions of a handler as a callback.

    Raises:
        ValueError: The event is unknown, or a condition does not apply to it.
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
