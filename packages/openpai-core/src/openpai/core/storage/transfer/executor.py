"""The whole of a transfer: files and parts of them at once, tried again where that may help."""

from __future__ import annotations

import errno
import threading
from collections import deque
from contextlib import ExitStack, suppress
from typing import Callable, Iterable

from openpai.core.errors import OpenPaiError, StorageLoginError
from openpai.core.retry import RetryPolicy, Stopped, is_lost
from openpai.core.storage.base import Entry, Storage
from openpai.core.storage.transfer.bandwidth import Limiter
from openpai.core.storage.transfer.checkpoint import Journal
from openpai.core.storage.transfer.copier import ChangedError, Copier
from openpai.core.storage.transfer.multipart import Parts
from openpai.core.storage.transfer.options import Options
from openpai.core.storage.transfer.planner import Planned, Planner, Step, same_time
from openpai.core.storage.transfer.results import Copied, Deleted, Failed

__all__ = [
    "Run",
    "ThreadGroup",
]


Task = Callable[[], None]


#: So many tasks may wait; who adds another one waits himself.
WAITING = 1000


class ThreadGroup:
    """Does tasks in threads. One thread adds them; a task may add more, which go first.

    Args:
        most: Maximum number of threads.
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


#: Maximum size in bytes of files that are sent in one request.
IN_ONE_GO = 1 << 20

#: Number of consecutive files without an answer after which the rest is not tried.
GIVEN_UP = 8

Report = Callable[[int, "Copied | Failed"], None]


class Run:
    """One run of a transfer.

    Args:
        source: The storage to read.
        target: The storage to write.
        planner: Knows the paths.
        options: How it shall go.
        report: Called with the number and the outcome of each file, one at a time.
        on_bytes: Called with each number of bytes dealt with, one at a time.
    """

    def __init__(
        self,
        source: Storage,
        target: Storage,
        planner: Planner,
        options: Options,
        *,
        report: Report,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._options = options
        self._planner = planner
        self._report_outcome = report
        self._show_bytes = on_bytes
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._retry = RetryPolicy(options.retries, self._stopped)
        self._journal = Journal(options.journal)
        self._threads = ThreadGroup(options.threads, self._stopped)
        limiter = Limiter(options.limit_rate, self._stopped)
        self._copier = Copier(source, target, limiter, self._moved, self._stopped)
        self._source, self._target = source, target
        self._lost = 0
        self._uploads: set[Parts] = set()
        self.failed = 0

    @property
    def gave_up(self) -> bool:
        """Whether the rest was not tried: a side answers no more, or not to whom we are."""
        return self._lost >= GIVEN_UP

    def do(self, steps: Iterable[Planned]) -> list[Step]:
        """Do everything but deletions, which are returned."""
        surplus: list[Step] = []
        try:
            for number, step in enumerate(steps):
                if self.gave_up:
                    break
                if isinstance(step, Failed):
                    self._report(number, step)
                elif step.action == "delete":
                    surplus.append(step)
                elif step.action == "unchanged":
                    self._moved(step.source.size)
                    self._report(number, self._copied(step, step.source, unchanged=True))
                else:
                    self._threads.add(lambda number=number, step=step: self._act(number, step))  # type: ignore[misc]
            self._threads.finish()
        except BaseException:
            self._stopped.set()
            self._threads.finish()
            raise
        finally:
            for parts in list(self._uploads):
                parts.close()
        return surplus

    def do_one(self, step: Planned) -> None:
        """Do one step of a small file here, without any threads."""
        if isinstance(step, Step) and step.action == "unchanged":
            self._moved(step.source.size)
            self._report(0, self._copied(step, step.source, unchanged=True))
        elif isinstance(step, Step):
            self._act(0, step)
        else:
            self._report(0, step)

    def delete(self, steps: list[Step], on_deleted: Callable[[Deleted], None]) -> None:
        """Delete what the source does not have, after a look that it still does not."""
        for number, step in enumerate(steps):
            place = self._planner.place(step.path)
            try:
                if not self._source.exists(self._planner.source_place(step.path)):
                    self._retry.call(lambda place=place: self._delete(place))  # type: ignore[misc]
                    on_deleted(Deleted(self._target.where(place), step.path))
            except (OSError, OpenPaiError) as error:
                if getattr(error, "errno", None) != errno.ENOTEMPTY:  # somebody put a file there
                    self._report(number, self._planner.failure(step.path, error))

    def _delete(self, place: str) -> None:
        with suppress(FileNotFoundError):
            self._target.delete(place)

    def _act(self, number: int, step: Step, tries: int = 0) -> None:
        """Do one step; a file that is sent in parts is only begun here."""
        while not self.gave_up:
            try:
                done = self._try(number, step, tries)
            except (OSError, OpenPaiError) as error:
                tries += 1
                if self._retry.after(error, tries):
                    continue
                self._report(number, self._planner.failure(step.path, error), error)
            else:
                if done:
                    self._report(number, done)
            return

    def _try(self, number: int, step: Step, tries: int) -> Copied | None:
        place = self._planner.place(step.path)
        if step.action == "mkdir":
            self._target.mkdir(place)
            return None
        entry = self._source.stat(step.source.path) if tries else step.source
        if step.found:
            same_size = step.found.size == entry.size
            if same_size and self._copier.is_there(
                entry, step.found, overwrite=self._options.overwrite
            ):
                self._moved(entry.size)
                return self._copied(step, entry, unchanged=True)
            if not self._options.overwrite:
                raise FileExistsError(
                    errno.EEXIST,
                    "Exists and differs (overwrite replaces it)",
                    self._target.where(place),
                )
        if entry.size > IN_ONE_GO:
            slot = self._journal.slot(self._source.where(entry.path), self._target.where(place))
            with ExitStack() as undone:
                undone.callback(slot.close)
                upload = self._copier.begin(entry, place, slot)
                if upload:
                    undone.callback(upload.close)
                    parts = Parts(number, step, tries, entry, upload, slot=slot)
                    self._send_parts(parts)
                    undone.pop_all()
                    return None
        self._copier.send(entry, place)
        return self._copied(step, entry)

    def _send_parts(self, parts: Parts) -> None:
        expected, digest = self._copier.digest_of(parts)
        threads = parts.begin(self._options.threads, expected, digest)
        with self._lock:
            self._uploads.add(parts)
        self._moved(parts.sent)
        if not threads:
            self._finish(parts)
        for _ in range(threads):
            self._threads.add_first(lambda: self._row(parts))

    def _row(self, parts: Parts) -> None:
        """Send parts that follow each other, and have the next ones sent."""
        row = parts.take()
        if row:
            try:
                self._retry.call(lambda: self._copier.send_parts(parts, row))
            except (OSError, OpenPaiError) as error:
                parts.error = parts.error or error
            else:
                self._threads.add_first(lambda: self._row(parts))
                return
        if parts.end():
            self._finish(parts)

    def _finish(self, parts: Parts) -> None:
        """See to a file all parts of which were sent, or one of which failed."""
        error = parts.error
        place = self._planner.place(parts.step.path)
        if error is None:
            try:
                self._copier.finish(parts, place)
            except (OSError, OpenPaiError) as failure:
                error = failure
        with self._lock:
            self._uploads.discard(parts)
        if error is None or (is_lost(error) and self._is_committed(parts, place)):
            parts.slot.clear()
            self._report(parts.number, self._copied(parts.step, parts.entry))
            return
        self._moved(-parts.sent)
        if isinstance(error, ChangedError) or getattr(error, "errno", None) in _NO_ROOM:
            with suppress(OSError, OpenPaiError):
                parts.upload.abort()
            parts.slot.clear()
        parts.close()
        again = parts.error is None or isinstance(error, ChangedError)
        if again and self._retry.after(error, parts.tries + 1):
            self._threads.add_first(lambda: self._act(parts.number, parts.step, parts.tries + 1))
            return
        self._report(parts.number, self._planner.failure(parts.step.path, error), error)

    def _is_committed(self, parts: Parts, place: str) -> bool:
        """Whether a commit whose answer was lost was done."""
        try:
            found = self._target.stat(place)
            same = found.size == parts.entry.size and same_time(found, parts.entry)
            if parts.error or not same or not self._target.keeps_times:
                return False
            # What is there may be an older file; it is looked at, and never deleted.
            return self._copier.has_arrived(parts.entry, place) is not False
        except (OSError, OpenPaiError):
            return False

    def _copied(self, step: Step, entry: Entry, *, unchanged: bool = False) -> Copied:
        where = self._source.where(entry.path), self._target.where(self._planner.place(step.path))
        return Copied(*where, entry.size, unchanged, step.path)

    def _report(
        self, number: int, outcome: Copied | Failed, error: Exception | None = None
    ) -> None:
        with self._lock:
            if isinstance(error, StorageLoginError):
                self._lost = GIVEN_UP
            elif error is not None and is_lost(error):
                self._lost += 1
            elif not self.gave_up:
                self._lost = 0
            self.failed += isinstance(outcome, Failed)
            self._report_outcome(number, outcome)

    def _moved(self, count: int) -> None:
        with self._lock:
            self._show_bytes(count)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
