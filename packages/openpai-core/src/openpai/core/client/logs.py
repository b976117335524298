"""Read the logs of a job's tasks: once, or following them until the job has ended."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Iterable, Iterator, NamedTuple

from openpai.core.client.log_since import LogSinceFilter
from openpai.core.client.task_log import TaskLog
from openpai.core.errors import ConnectionFailed, NotFoundError, OpenPaiError, ServerError
from openpai.core.rest import TaskAttempt
from openpai.core.retry import Backoff

if TYPE_CHECKING:
    from datetime import datetime

    from openpai.core.client.remote_job import RemoteJob
    from openpai.core.rest import JobDetail

__all__ = ["LogFilter", "LogLine", "follow_logs", "read_logs"]

_log = logging.getLogger("openpai.core.client.logs")

# Seconds for which a running task's log may be out of reach before a warning.
_WARN_SECONDS = 60.0
# Seconds to wait for the rest of an ended task's log while no answer comes at all.
_NO_ANSWER_SECONDS = 600.0


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


@dataclass(frozen=True)
class LogFilter:
    """A selection of lines of a job's logs.

    Attributes:
        role: A task role, in any spelling; ``None``: all.
        index: A task's index; ``None``: all.
        stream: ``all``, ``stdout``, ``stderr``, or another log's name.
        tail: Only the last lines of what each task had written at the beginning.
        since: Only lines that are not older, as far as that can be known.
        attempt: Of which attempt of the job; ``None``: the latest, and while following all later.
    """

    role: str | None = None
    index: int | None = None
    stream: str = "all"
    tail: int | None = None
    since: datetime | None = None
    attempt: int | None = None


def read_logs(job: RemoteJob, wanted: LogFilter) -> Iterator[LogLine]:
    """Yield the lines that the tasks of an attempt have written so far, task by task.

    Raises:
        NotFoundError: The job has no such task.
        ApiError: The server refused or failed.
        ConnectionFailed: No answer came.
    """
    for attempt, started, _, since in _attempts(job.status(wanted.attempt), wanted):
        if not started or (since and since.is_over):
            continue
        log = TaskLog(job.session, attempt, wanted.stream)
        try:
            if wanted.tail is not None:
                log.skip_to_tail(wanted.tail)
            texts = _limited(chain(log.new_lines(), log.last_line()), wanted.tail)
            for text in since.lines(texts) if since else texts:
                yield LogLine(attempt.role, attempt.task_index, text)
        except (NotFoundError, ServerError) as error:
            _warn_unavailable(attempt, error)


def follow_logs(job: RemoteJob, wanted: LogFilter) -> Iterator[LogLine]:
    """Yield lines as the tasks write them, through retries, until the job has ended.

    Raises:
        NotFoundError: The job, or the task that was asked for, does not exist.
        OpenPaiError: The connection failed for longer than ten minutes.
    """
    follower = _Follower(job, wanted)
    backoff = Backoff(was_well=job.session.answered)
    pause = 0.2
    while True:
        progress = False
        try:
            detail = job.status()
            for line in follower.lines(detail):
                progress = True
                yield line
            backoff.reset()
        except OpenPaiError as error:
            backoff.wait(error)
            continue
        if detail.ended and follower.finished:
            return
        pause = 0.2 if progress else min(pause * 1.5, 2.0)
        time.sleep(pause)


class _Follower:
    """The logs being followed, and which of them have been read to their end."""

    def __init__(self, job: RemoteJob, wanted: LogFilter) -> None:
        self.job = job
        self.wanted = wanted
        self.tail = wanted.tail
        self.finished = False
        self._logs: dict[TaskAttempt, TaskLog] = {}
        self._since: dict[TaskAttempt, LogSinceFilter] = {}
        self._done: set[TaskAttempt] = set()
        self._first_job_attempt: int | None = None
        self._tails: dict[TaskAttempt, int] = {}
        self._failing_since: dict[TaskAttempt, float] = {}
        self._warned: set[TaskAttempt] = set()

    def lines(self, detail: JobDetail) -> Iterator[LogLine]:
        """Yield the new lines of every task in ``detail``."""
        self.finished = True
        behind: set[tuple[str, int]] = set()  # tasks whose older attempt has unread lines
        for attempt, started, ended, since in self._known_attempts(detail):
            task = (attempt.role, attempt.task_index)
            if attempt in self._done:
                continue
            if task in behind:
                self.finished = False
                continue
            if since:
                self._since.setdefault(attempt, since)
            if started and not (since and since.is_over):
                if self.tail is not None and attempt not in self._logs:
                    self._tails[attempt] = self.tail
                yield from self._new(attempt, ended)
            elif ended:
                self._done.add(attempt)
            if attempt not in self._done:
                self.finished = False
                behind.add(task)
        self.tail = None  # it applies to the lines of the first round only

    def _known_attempts(self, detail: JobDetail) -> Iterator[_Attempt]:
        """Yield the attempts of the job since following began, the older ones first."""
        if self._first_job_attempt is None:
            self._first_job_attempt = (
                detail.attempt_id or 0
            )  # a job has none before its first start
        if detail.attempt_id is None:
            return
        for number in range(self._first_job_attempt, detail.attempt_id):
            older = self.job.status(attempt=number)
            found = list(_attempts(older, self.wanted))
            yield from (one._replace(ended=True) for one in found)
            if all(one.attempt in self._done for one in found):
                self._first_job_attempt = number + 1
        yield from _attempts(detail, self.wanted)

    def _new(self, attempt: TaskAttempt, ended: bool) -> Iterator[LogLine]:
        log = self._logs.setdefault(attempt, TaskLog(self.job.session, attempt, self.wanted.stream))
        tail, since = self._tails.get(attempt), self._since.get(attempt)
        try:
            if tail is not None:
                log.skip_to_tail(tail)
                del self._tails[attempt]
            texts = _limited(log.new_lines(), tail)
            for text in since.lines(texts) if since else texts:
                self._failing_since.pop(attempt, None)
                yield LogLine(attempt.role, attempt.task_index, text)
        except OpenPaiError as error:
            if not ended or self._may_still_come(attempt, error):
                self._note_failure(attempt, error)
                return  # the next round asks again; a task that has not quite begun is refused, too
            _warn_unavailable(attempt, error)
        self._failing_since.pop(attempt, None)
        if ended:
            last = log.last_line()
            for text in since.lines(last) if since else last:
                yield LogLine(attempt.role, attempt.task_index, text)
            self._done.add(attempt)
            self._logs.pop(attempt, None)
            self._since.pop(attempt, None)

    def _may_still_come(self, attempt: TaskAttempt, error: OpenPaiError) -> bool:
        """Whether to ask again for the rest of an ended task's log."""
        if isinstance(error, NotFoundError):
            return False
        now = time.monotonic()
        limit = _NO_ANSWER_SECONDS if isinstance(error, ConnectionFailed) else _WARN_SECONDS
        return now - self._failing_since.get(attempt, now) < limit

    def _note_failure(self, attempt: TaskAttempt, error: OpenPaiError) -> None:
        """Warn once when a log stays out of reach."""
        now = time.monotonic()
        since = self._failing_since.setdefault(attempt, now)
        if now - since > _WARN_SECONDS and attempt not in self._warned:
            self._warned.add(attempt)
            _warn_unavailable(attempt, error)


def _limited(texts: Iterable[str], tail: int | None) -> Iterator[str]:
    """Yield the last texts only, since more may have arrived meanwhile."""
    if tail is None:
        yield from texts
        return
    kept: deque[str] = deque(maxlen=tail)
    try:
        kept.extend(texts)
    except OpenPaiError:
        yield from kept
        raise
    yield from kept


class _Attempt(NamedTuple):
    """One attempt of one task, and the state of its log."""

    attempt: TaskAttempt
    started: bool
    ended: bool
    since: LogSinceFilter | None


def _attempts(detail: JobDetail, wanted: LogFilter) -> Iterator[_Attempt]:
    """Yield the attempts of the selected tasks."""
    from openpai.core.protocol import convert_name
    from openpai.core.states import TERMINAL_STATES

    role, index, moment = wanted.role, wanted.index, wanted.since
    spelled = None if role is None else convert_name(role)
    found = False
    for name, task in detail.tasks():
        if spelled not in (None, name) or index not in (None, task.index):
            continue
        found = True
        latest = task.attempt_id or 0
        for number in range(latest + 1):
            attempt = TaskAttempt(detail.key, detail.attempt_id or 0, name, task.index, number)
            ended = number < latest or detail.ended or task.state in TERMINAL_STATES
            title, is_latest = f"{name}-{task.index}", number == latest
            since = LogSinceFilter(moment, title, task, is_latest=is_latest) if moment else None
            yield _Attempt(attempt, not is_latest or task.launched_time is not None, ended, since)
    if not found and detail.task_roles and (role is not None or index is not None):
        known = ", ".join(f"{name}-{task.index}" for name, task in detail.tasks())
        raise NotFoundError(
            f"Job '{detail.key}' has no task {role or 'any'}-{'any' if index is None else index} "
            f"(there are: {known}).",
            status=404,
        )


def _warn_unavailable(attempt: TaskAttempt, error: OpenPaiError) -> None:
    _log.warning(
        "the log of %s-%d (attempt %d) is not available: %s",
        attempt.role,
        attempt.task_index,
        attempt.task_attempt,
        error.message,
    )
