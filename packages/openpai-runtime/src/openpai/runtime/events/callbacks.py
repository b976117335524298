"""Run the callbacks of a job: commands of its own, each a child with a time limit."""

from __future__ import annotations

import signal
from functools import partial
from typing import Callable, Iterator, Mapping, Sequence

from openpai.core.protocol import Callback
from openpai.runtime.events.event import Event, waiting_for
from openpai.runtime.log import say
from openpai.runtime.process import Loop, call_in_child, shell, signal_group, start

__all__ = ["Callbacks", "Chain"]

_KILL_AFTER = 2.0


class Callbacks:
    """The callbacks of a task.

    Args:
        loop: The loop of this process.
        callbacks: All of the job's.
        environ: Their environment; each event adds what it knows of itself.
        time_left: Seconds that there are before the task has to be over, if it has to be.

    Attributes:
        environ: Their environment.
        failed: Whether one with ``failurePolicy: fail`` has failed.
    """

    def __init__(
        self,
        loop: Loop,
        callbacks: Sequence[Callback],
        environ: Mapping[str, str],
        time_left: Callable[[], float | None],
    ) -> None:
        self.failed = False
        self._loop = loop
        self._callbacks = callbacks
        self.environ = environ
        self._time_left = time_left

    def waiting_for(self, event: Event) -> list[Callback]:
        """Return those that wait for an event."""
        return waiting_for(self._callbacks, event)

    def foreign_events(self) -> list[str]:
        """Return the events of other packages that callbacks wait for: their names have a dot."""
        return sorted({callback.on for callback in self._callbacks if "." in callback.on})

    def fire(self, event: Event, every: float | None = None) -> Chain:
        """Begin to run those that wait for an event, one after the other; return at once.

        Args:
            event: What has happened.
            every: For ``interval``: which interval has passed, in seconds.
        """
        chosen = [callback for callback in self.waiting_for(event) if callback.every == every]
        return Chain(self, iter(chosen), event)

    def fire_and_wait(self, event: Event) -> None:
        """Run those that wait for an event, to their ends."""
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

        def too_long() -> None:
            say(f"The callback on {event.name} has run for {limit:g} s, its time limit.")
            signal_group(pid, signal.SIGTERM)

        timers = [
            self._loop.later(limit, too_long),
            self._loop.later(limit + _KILL_AFTER, lambda: signal_group(pid, signal.SIGKILL)),
        ]

        def ended(code: int) -> None:
            for timer in timers:
                self._loop.cancel(timer)
            signal_group(pid, signal.SIGKILL)  # what it left in the background
            on_end(code)

        self._loop.watch(pid, ended)
        return pid


class Chain:
    """Callbacks that run one after the other.

    Attributes:
        done: Whether all of them have ended.
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
        """Kill the one that runs and start no other; how it ends means nothing."""
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
            say(f"A callback on {self._event.name} ended with exit code {code}.")
            self._owner.failed = self._owner.failed or policy == "fail"
        self._next()
