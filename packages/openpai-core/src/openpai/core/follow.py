"""Read the logs of a job's tasks: once, or following them until the job has ended.

PAI's log manager serves each log as a file that can be read from an offset, under URLs that live
for two minutes. Logs rotate: ``all`` becomes ``all.1`` and begins anew. To notice it, every read
begins a little before the offset and compares what is known with what comes: no line is lost or
doubled unless a log rotated twice between two reads, which is said in its place.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, Iterable, Iterator, NamedTuple

from openpai.core.errors import NotFoundError, OpenPaiError, ServerError
from openpai.core.patience import Patience
from openpai.core.rest.logs import Piece, TaskAttempt, log_locations, read_piece

if TYPE_CHECKING:
    from openpai.core.remote_job import RemoteJob
    from openpai.core.rest.job_records import JobDetail
    from openpai.core.rest.session import Session

__all__ = ["LogLine", "TaskLog", "follow_logs", "read_logs"]

_log = logging.getLogger("openpai.core.follow")

_PIECE = 1 << 20
_OVERLAP = 256
_GAP = b"[openpai] output may be missing here: the log rotated twice between two reads"


class LogLine(NamedTuple):
    """One line of one task's log.

    Attributes:
        role: The task role as the server spells it.
        task_index: The task's index, from 0.
        text: The line without its end.
    """

    role: str
    task_index: int
    text: str


class _Cursor:
    """How far a file has been read, and the last bytes of what was read."""

    def __init__(self) -> None:
        self.offset = 0
        self.known = b""

    @property
    def start(self) -> int:
        """Where the next read begins: before the offset, so that it shows what is known."""
        return self.offset - len(self.known)

    def take(self, data: bytes) -> bytes | None:
        """Return what is new in data read from ``start``; ``None`` if it is another file's."""
        if not data.startswith(self.known):
            return None
        new = data[len(self.known) :]
        self.offset += len(new)
        self.known = (self.known + new)[-_OVERLAP:]
        return new


class TaskLog:
    """Reads one stream of one task attempt, from its beginning, piece by piece.

    Args:
        session: The cluster's session.
        attempt: Which run of which task.
        stream: ``all``, ``stdout``, ``stderr`` or another name that the server lists.
    """

    def __init__(self, session: Session, attempt: TaskAttempt, stream: str) -> None:
        self.session = session
        self.attempt = attempt
        self.stream = stream
        self._locations: dict[str, str] = {}
        self._current = _Cursor()
        self._rotated = _Cursor()
        self._owed = False  # the rest of what was being read must be in the rotated file
        self._partial = b""

    def new_lines(self) -> Iterator[str]:
        """Yield the complete lines that were written since the last call.

        Raises:
            NotFoundError: The task has no log (yet, or no longer).
            ApiError: The server failed.
            ConnectionFailed: No answer came.
        """
        while True:
            data = self._read()
            if not data:
                return
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")

    def last_line(self) -> Iterator[str]:
        """Yield what stands after the last line end, once the attempt has ended."""
        if self._partial:
            yield self._partial.decode("utf-8", "replace")
            self._partial = b""

    def _read(self) -> bytes:
        """Return new bytes, or nothing at the present end of the log."""
        current = self._piece(self.stream, self._current)
        if current.missing:
            return b""
        if self._current.known:
            new = self._current.take(current.data)
            if new is not None:
                return new
            self._rotated, self._current, self._owed = self._current, _Cursor(), True
            return self._read()
        # At the beginning of a file: what rotated away before, or just now, comes first.
        return self._older() or self._current.take(current.data) or b""

    def _older(self) -> bytes:
        """Return bytes of the rotated file that were not read yet."""
        self._locations = {} if self._owed else self._locations
        new = self._rotated.take(self._piece(self.stream + ".1", self._rotated).data)
        if new is None:  # another file has rotated since
            self._rotated = _Cursor()
            gap = b"\n" * bool(self._partial) + _GAP + b"\n" if self._owed else b""
            new = gap + (
                self._rotated.take(self._piece(self.stream + ".1", self._rotated).data) or b""
            )
        self._owed = False
        return new

    def _piece(self, stream: str, cursor: _Cursor) -> Piece:
        for _ in range(2):
            if stream not in self._locations:
                self._locations = log_locations(self.session, self.attempt)
            uri = self._locations.get(stream)
            if uri is None:
                return Piece(b"", missing=True)
            piece = read_piece(self.session, uri, cursor.start, _PIECE)
            if not piece.expired:
                return piece
            self._locations = {}
        raise ServerError(
            f"The log of {self.attempt.role}-{self.attempt.task_index} was refused with a fresh "
            "address.",
            status=403,
            hint="Are the clocks of the cluster's nodes right?",
        )


def read_logs(
    job: RemoteJob, role: str | None, index: int | None, stream: str, tail: int | None
) -> Iterator[LogLine]:
    """Yield what the tasks of the latest attempt have written up to now, task by task.

    ``tail`` keeps the last lines of each task only.

    Raises:
        NotFoundError: The job has no such task.
        ApiError: The server refused or failed.
        ConnectionFailed: No answer came.
    """
    for attempt, started, _ in _attempts(job.status(), role, index):
        if not started:
            continue
        log = TaskLog(job.session, attempt, stream)
        texts: Iterable[str] = chain(log.new_lines(), log.last_line())
        try:
            for text in texts if tail is None else deque(texts, maxlen=tail):
                yield LogLine(attempt.role, attempt.task_index, text)
        except (NotFoundError, ServerError) as error:
            _say_missing(attempt, error)


def follow_logs(
    job: RemoteJob, role: str | None, index: int | None, stream: str, tail: int | None
) -> Iterator[LogLine]:
    """Yield lines as the tasks write them, through retries, until the job has ended.

    ``tail`` skips all but the last lines of what each task had written at the beginning.

    Raises:
        NotFoundError: The job, or the task that was asked for, does not exist.
        OpenPaiError: Trouble with the connection lasted longer than could be borne.
    """
    follower = _Follower(job, role, index, stream, tail)
    patience = Patience()
    pause = 0.2
    while True:
        try:
            detail = job.status()
            patience.relax()
        except OpenPaiError as error:
            patience.bear(error)
            continue
        progress = False
        for line in follower.lines(detail):
            progress = True
            yield line
        if detail.ended and follower.finished:
            return
        pause = 0.2 if progress else min(pause * 1.5, 2.0)
        time.sleep(pause)


class _Follower:
    """The logs being followed, and which of them have been read to their end."""

    def __init__(
        self, job: RemoteJob, role: str | None, index: int | None, stream: str, tail: int | None
    ) -> None:
        self.job = job
        self.role = role
        self.index = index
        self.stream = stream
        self.tail = tail
        self.finished = False
        self._logs: dict[TaskAttempt, TaskLog] = {}
        self._done: set[TaskAttempt] = set()
        self._first_job_attempt: int | None = None

    def lines(self, detail: JobDetail) -> Iterator[LogLine]:
        """Yield what is new in every log that ``detail`` tells of."""
        self.finished = True
        for attempt, started, ended in self._known_attempts(detail):
            if attempt in self._done:
                continue
            if started:
                yield from self._new(attempt, ended)
            elif ended:
                self._done.add(attempt)
            if attempt not in self._done:
                self.finished = False
        self.tail = None  # it was meant for what was there at the first look

    def _known_attempts(self, detail: JobDetail) -> Iterator[tuple[TaskAttempt, bool, bool]]:
        """Yield the attempts of the job since following began, the older ones first."""
        if detail.attempt_id is None:
            return
        if self._first_job_attempt is None:
            self._first_job_attempt = detail.attempt_id
        for number in range(self._first_job_attempt, detail.attempt_id):
            older = self.job.status(attempt=number)
            for attempt, started, _ in _attempts(older, self.role, self.index):
                yield attempt, started, True
            if all(a in self._done for a, _, _ in _attempts(older, self.role, self.index)):
                self._first_job_attempt = number + 1
        yield from _attempts(detail, self.role, self.index)

    def _new(self, attempt: TaskAttempt, ended: bool) -> Iterator[LogLine]:
        log = self._logs.setdefault(attempt, TaskLog(self.job.session, attempt, self.stream))
        try:
            texts: Iterable[str] = log.new_lines()
            for text in texts if self.tail is None else deque(texts, maxlen=self.tail):
                yield LogLine(attempt.role, attempt.task_index, text)
        except (NotFoundError, ServerError) as error:
            if not ended:  # the server says so, too, while a task has not quite begun
                return
            _say_missing(attempt, error)
        except OpenPaiError:
            return  # the next round asks again; the status call bears the trouble
        if ended:
            for text in log.last_line():
                yield LogLine(attempt.role, attempt.task_index, text)
            self._done.add(attempt)
            del self._logs[attempt]


def _attempts(
    detail: JobDetail, role: str | None, index: int | None
) -> Iterator[tuple[TaskAttempt, bool, bool]]:
    """Yield (task attempt, has it started, has it ended) for the tasks that were asked for."""
    from openpai.core.protocol.names import convert_name
    from openpai.core.rest.job_records import TERMINAL_STATES

    wanted = None if role is None else convert_name(role)
    found = False
    for name, task in detail.tasks():
        if wanted not in (None, name) or index not in (None, task.index):
            continue
        found = True
        latest = task.attempt_id or 0
        for number in range(latest + 1):
            attempt = TaskAttempt(detail.key, detail.attempt_id or 0, name, task.index, number)
            ended = number < latest or detail.ended or task.state in TERMINAL_STATES
            yield attempt, number < latest or task.launched_time is not None, ended
    if not found and detail.task_roles and (role is not None or index is not None):
        known = ", ".join(f"{name}-{task.index}" for name, task in detail.tasks())
        raise NotFoundError(
            f"Job '{detail.key}' has no task {role or 'any'}-{'any' if index is None else index} "
            f"(there are: {known}).",
            status=404,
        )


def _say_missing(attempt: TaskAttempt, error: OpenPaiError) -> None:
    _log.warning(
        "the log of %s-%d (attempt %d) is not to be had: %s",
        attempt.role,
        attempt.task_index,
        attempt.task_attempt,
        error.message,
    )
