"""The runs of one task (operation *getTask*; tag *job*)."""

from __future__ import annotations

from typing import Any, NamedTuple

from openpai.core.errors import ApiError, ConnectionFailed
from openpai.core.rest.address import shown
from openpai.core.rest.fields import integer, text
from openpai.core.rest.models import TaskAttemptStatus, TaskFacts
from openpai.core.rest.responses import refuse_page
from openpai.core.rest.session import Session, segment

__all__ = [
    "LogChunk",
    "TaskAttempt",
    "TaskHistory",
    "get_task",
    "log_locations",
    "read_chunk",
]


class TaskHistory(TaskFacts):
    """One task of one job attempt, and all its runs.

    Attributes:
        role: The task role as the server spells it.
    """

    __slots__ = ()
    username = text("username")
    job_name = text("jobName")
    job_attempt = integer("jobAttemptId")
    role = text("taskRoleName")

    @property
    def attempts(self) -> list[TaskAttemptStatus]:
        """The runs, the first one first (the server sends the newest first)."""
        found = (TaskAttemptStatus(raw) for raw in self.raw.get("attempts") or ())
        return sorted(found, key=lambda attempt: attempt.attempt_id or 0)


def get_task(session: Session, key: str, job_attempt: int, role: str, index: int) -> TaskHistory:
    """``GET /api/v2/jobs/{user}~{job}/attempts/{a}/taskRoles/{r}/taskIndex/{i}/attempts``.

    Any token. ``role`` is the server's spelling: lower case, letters and digits only
    (rest-server/src/models/v2/task.js).

    Raises:
        JobNotFoundError: There is no such job, attempt, role or index.
    """
    path = f"/jobs/{segment(key)}/attempts/{job_attempt}/taskRoles/{segment(role)}"
    return TaskHistory(session.get(f"{path}/taskIndex/{index}/attempts", kind=dict))


class TaskAttempt(NamedTuple):
    """One run of one task.

    Attributes:
        job: ``<user>~<name>``.
        job_attempt: From 0.
        role: The task role as the server spells it (lower case, letters and digits only).
        task_index: The task's index, from 0.
        task_attempt: From 0 in each job attempt.
    """

    job: str
    job_attempt: int
    role: str
    task_index: int
    task_attempt: int


class LogChunk(NamedTuple):
    """Part of a log.

    Attributes:
        data: The bytes from the asked offset on; empty when there is nothing new.
        expired: Whether the URL has expired; the locations must be requested again.
        missing: Whether the file does not exist (now).
        size: The file's size in bytes, if the server sent it; else 0.
    """

    data: bytes
    expired: bool = False
    missing: bool = False
    size: int = 0


def log_locations(session: Session, task: TaskAttempt) -> dict[str, str]:
    """``GET …/attempts/{a}/taskRoles/{r}/taskIndex/{i}/attempts/{n}/logs``: name → URL.

    Any token. The URLs live for about two minutes (rest-server/src/models/v2/job/log.js).

    Raises:
        NotFoundError: The attempt has no log (yet, or no longer).
        ServerError: The server also answers this for a task that has not started.
    """
    path = (
        f"/jobs/{segment(task.job)}/attempts/{task.job_attempt}/taskRoles/{segment(task.role)}"
        f"/taskIndex/{task.task_index}/attempts/{task.task_attempt}/logs"
    )
    found = session.get(path, kind=list, key="locations")
    return {item["name"]: item["uri"] for item in found}


def read_chunk(session: Session, uri: str, offset: int, limit: int) -> LogChunk:
    """Read up to ``limit`` bytes of a log from ``offset`` on; the URL has a token of its own.

    Source: log-manager/src/nginx.

    Raises:
        ApiError: The log server failed in a way that does not mean "expired" or "nothing yet".
    """
    headers = {"Range": f"bytes={offset}-{offset + limit - 1}", "Accept-Encoding": "identity"}
    try:
        response = session.request("GET", uri, headers=headers, read=_whole)
    except ApiError as error:
        if error.status == 416:  # the end, or an empty file
            return LogChunk(b"")
        if error.status == 403:  # the URL's own token has run out
            return LogChunk(b"", expired=True)
        if error.status == 404:
            return LogChunk(b"", missing=True)
        raise
    content: bytes = response.content
    if response.status_code == 200:  # a server that ignores ranges sends the whole file
        return LogChunk(content[offset : offset + limit], size=len(content))
    return LogChunk(content, size=_size(response.headers.get("Content-Range", "")))


def _whole(response: Any) -> Any:
    """Return the response if its body is as long as it says; older urllib3 does not look.

    Raises:
        ServerError: It is a web page.
        ConnectionFailed: It was cut short.
    """
    refuse_page(response)
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) != len(response.content):
        raise ConnectionFailed(
            f"GET {shown(response.url)}: the answer was cut short.", "Try again."
        )
    return response


def _size(content_range: str) -> int:
    """Read the last number of ``bytes 0-0/1234``."""
    size = content_range.rpartition("/")[2]
    return int(size) if size.isdigit() else 0
