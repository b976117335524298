"""Work in the background of the command: callbacks and saving at an interval."""

from __future__ import annotations

import signal
from functools import partial
from typing import Callable, Iterable

from openpai.runtime.events.callbacks import CallbackQueue, Callbacks
from openpai.runtime.events.event import Event
from openpai.runtime.process import EventLoop, call_in_child, signal_group

__all__ = ["BackgroundWork"]

_PAUSE = 0.1  # limits the load of a function that returns at once


class BackgroundWork:
    """Runs callbacks and saves outputs while the command runs, each in a child process.

    Args:
        loop: The event loop of this process.
        callbacks: The callbacks of the job.
        event: Returns an event of a name.
        save: Saves the outputs of an interval (in seconds); called in a child process.
    """

    def __init__(
        self,
        loop: EventLoop,
        callbacks: Callbacks,
        event: Callable[[str], Event],
        save: Callable[[float], int],
    ) -> None:
        self._loop = loop
        self._callbacks = callbacks
        self._event = event
        self._save = save
        self._over = False
        self._once: list[CallbackQueue] = []
        self._repeated: dict[float, CallbackQueue] = {}
        self._savers: dict[float, int] = {}
        self._listeners: dict[str, int] = {}
        self._events: dict[str, CallbackQueue] = {}

    def begin(self, saves: Iterable[float]) -> None:
        """Start the timers of interval callbacks and of saving."""
        calls = {
            callback.every for callback in self._callbacks.callbacks_for(self._event("interval"))
        }
        for every in sorted(filter(None, calls)):
            self._schedule(every, self._call)
        for every in sorted(set(saves)):
            self._schedule(every, self._begin_save)
        for name in self._callbacks.external_events():
            self._listen(name)

    def fire(self, name: str) -> None:
        """Run the callbacks of an event in the background."""
        self._once.append(self._callbacks.fire(self._event(name)))

    def end(self, time_left: Callable[[], float | None]) -> None:
        """Stop the timers and end all background work.

        Interval callbacks are killed; callbacks of other events are awaited, and so is saving
        while time is left.
        """
        self._over = True
        for pid in self._listeners.values():
            signal_group(pid, signal.SIGKILL)
        for chain in self._repeated.values():
            chain.abandon()
        chains = [*self._once, *self._repeated.values(), *self._events.values()]
        self._loop.run(lambda: all(chain.done for chain in chains))
        self._loop.run(lambda: not self._savers or time_left() == 0)
        for pid in self._savers.values():
            signal_group(pid, signal.SIGTERM)
        self._loop.run(lambda: not self._savers)

    def _listen(self, name: str) -> None:
        """Wait for an event of another package: its function returns when the event happens."""
        if self._over:
            return
        from openpai.runtime.events.plugins import call_function

        self._listeners[name] = call_in_child(
            self._loop, partial(call_function, name, self._event(name))
        )
        self._loop.watch(self._listeners[name], partial(self._on_event, name))

    def _on_event(self, name: str, code: int) -> None:
        """Run the callbacks, unless they are still running, and listen again."""
        del self._listeners[name]
        if code == 0 and not self._over:
            chain = self._events.get(name)
            if chain is None or chain.done:
                self._events[name] = self._callbacks.fire(self._event(name))
            self._loop.later(_PAUSE, partial(self._listen, name))

    def _schedule(self, every: float, call: Callable[[float], None]) -> None:
        def tick() -> None:
            if not self._over:
                self._schedule(every, call)
                call(every)

        self._loop.later(every, tick)

    def _call(self, every: float) -> None:
        """Run the callbacks of one interval, unless they are still running."""
        before = self._repeated.get(every)
        if before is None or before.done:
            self._repeated[every] = self._callbacks.fire(self._event("interval"), every)

    def _begin_save(self, every: float) -> None:
        if every not in self._savers:
            pid = call_in_child(self._loop, partial(self._save, every))
            self._savers[every] = pid
            self._loop.watch(pid, partial(self._end_save, every))

    def _end_save(self, every: float, _code: int) -> None:
        del self._savers[every]
