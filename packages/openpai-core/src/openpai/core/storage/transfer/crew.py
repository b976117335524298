"""Threads that do tasks."""

from __future__ import annotations

import threading
from collections import deque
from typing import Callable

__all__ = ["Crew", "Stopped"]

Task = Callable[[], None]

#: So many tasks may wait; who adds another one waits himself.
WAITING = 1000


class Stopped(BaseException):
    """Ends a task of a transfer that was stopped; not an ``Exception``, so nobody handles it."""


class Crew:
    """Does tasks in threads. One thread adds them; a task may add more, which go first.

    Args:
        most: At most so many threads.
        stopped: Set when everything shall end.
    """

    def __init__(self, most: int, stopped: threading.Event) -> None:
        self.stopped = stopped
        self._most = most
        self._changed = threading.Condition()
        self._room = threading.Condition(self._changed._lock)  # type: ignore[attr-defined]
        self._first: deque[Task] = deque()
        self._tasks: deque[Task] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._busy = 0
        self._over = False
        self._broken: BaseException | None = None

    def add(self, task: Task) -> None:
        """Have a task done; wait while many wait already."""
        with self._changed:
            while len(self._tasks) >= WAITING and not self.stopped.is_set():
                self._room.wait(0.5)
            self._tasks.append(task)
            self._wake()

    def add_first(self, task: Task) -> None:
        """Have a task done before those that wait; never waits itself."""
        with self._changed:
            self._first.append(task)
            self._wake()

    def finish(self) -> None:
        """Wait until everything is done, or stopped, and end the threads.

        Raises:
            BaseException: What a task raised; tasks should not.
        """
        with self._changed:
            while not self.stopped.is_set() and (self._first or self._tasks or self._busy):
                self._room.wait(0.5)
            self._over = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(5.0 if self.stopped.is_set() else None)
        if self._broken:
            raise self._broken

    def _wake(self) -> None:
        """Have a thread look for a task: one that waits, or else a new one."""
        self._changed.notify()
        waiting = len(self._first) + len(self._tasks)
        if self._idle < waiting and len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name="transfer", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _take(self) -> Task | None:
        with self._changed:
            while not (self._over or self.stopped.is_set()):
                if self._first or self._tasks:
                    self._busy += 1
                    task = (self._first or self._tasks).popleft()
                    if len(self._tasks) < WAITING // 2:
                        self._room.notify_all()
                    return task
                self._idle += 1
                self._changed.wait(1.0)
                self._idle -= 1
            return None

    def _work(self) -> None:
        task = self._take()
        while task:
            try:
                task()
            except Stopped:
                pass
            except BaseException as error:  # a fault of ours, to be seen and not to hang on
                self._broken = error
                self.stopped.set()
            with self._changed:
                self._busy -= 1
                if not (self._first or self._tasks or self._busy):
                    self._room.notify_all()
            task = self._take()
