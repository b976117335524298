"""Run the callbacks of a job, each in a child process with a time limit."""

from __future__ import annotations

import signal
from functools import partial
from typing import Callable, Iterator, Mapping, Sequence

from openpai.core.protocol import Callback
from openpai.runtime.events.event import Event, callbacks_for
from openpai.runtime.log import log
from openpai.runtime.process import EventLoop, call_in_child, shell, signal_group, start

__all__ = ["CallbackQueue", "Callbacks"]

_KILL_AFTER = 2.0


class Callbacks:
    """The callbacks of a task.

    Args:
        loop: The event loop of this process.
        callbacks: The callbacks of the job.
        environ: Their environment; each event adds its own variables.
        time_left: Returns the seconds until the task must end; ``None`` without a limit.

    Attributes:
        environ: Their environment.
        failed: Whether a callback with ``failurePolicy: fail`` failed.
    """

    def __init__(
        self,
        loop: EventLoop,
        callbacks: Sequence[Callback],
        environ: Mapping[str, str],
        time_left: Callable[[], float | None],
    ) -> None:
        self.failed = False
        self._loop = loop
        self._callbacks = callbacks
        self.environ = environ
        self._time_left = time_left

    def callbacks_for(self, event: Event) -> list[Callback]:
        """Return the callbacks for an event."""
        return callbacks_for(self._callbacks, event)

    def external_events(self) -> list[str]:
        """Return the events of other packages, whose names have a dot."""
        return sorted({callback.on for callback in self._callbacks if "." in callback.on})

    def fire(self, event: Event, every: float | None = None) -> CallbackQueue:
        """Start running the callbacks for an event, one after the other; return at once.

        Args:
            event: The event.
            every: For ``interval``: the interval in seconds.
        """
        chosen = [callback for callback in self.callbacks_for(event) if callback.every == every]
        return CallbackQueue(self, iter(chosen), event)

    def fire_and_wait(self, event: Event) -> None:
        """Run the callbacks for an event and wait for them."""
        chain = self.fire(event)
        self._loop.run(lambda: chain.done)

    def start(self, callback: Callback, event: Event, on_end: Callable[[int], None]) -> int:
        """Start one callback; return its pid."""
        if callback.call:
            from openpai.runtime.events.plugins import call_function

            pid = call_in_child(self._loop, partial(call_function, callback.call, event))
        else:
            environ = {**self.environ, **event.variables()}
            argv = [shell(environ), "-c", "\n".join(callback.commands)]
            pid = start(self._loop, argv, environ, quiet_input=True)
        left = self._time_left()
        limit = callback.timeout if left is None else max(0.1, min(callback.timeout, left / 2))

        def stop() -> None:
            log(f"The callback on {event.name} has run for {limit:g} s, its time limit.")
            signal_group(pid, signal.SIGTERM)

        timers = [
            self._loop.later(limit, stop),
            self._loop.later(limit + _KILL_AFTER, lambda: signal_group(pid, signal.SIGKILL)),
        ]

        def ended(code: int) -> None:
            for timer in timers:
                self._loop.cancel(timer)
            signal_group(pid, signal.SIGKILL)  # its background processes
            on_end(code)

        self._loop.watch(pid, ended)
        return pid


class CallbackQueue:
    """Callbacks of one event, run one after the other.

    Attributes:
        done: Whether all have ended.
    """

    def __init__(self, owner: Callbacks, callbacks: Iterator[Callback], event: Event) -> None:
        self.done = False
        self._owner = owner
        self._callbacks = callbacks
        self._event = event
        self._pid = 0
        self._abandoned = False
        self._next()

    def abandon(self) -> None:
        """Kill the running callback, ignore its exit code, and start no other."""
        self._abandoned = True
        if not self.done:
            signal_group(self._pid, signal.SIGKILL)

    def _next(self) -> None:
        callback = None if self._abandoned else next(self._callbacks, None)
        if callback is None:
            self.done = True
            return
        policy = callback.failure_policy
        self._pid = self._owner.start(callback, self._event, lambda code: self._ended(code, policy))

    def _ended(self, code: int, policy: str) -> None:
        if code and not self._abandoned:
            log(f"A callback on {self._event.name} ended with exit code {code}.")
            self._owner.failed = self._owner.failed or policy == "fail"
        self._next()
