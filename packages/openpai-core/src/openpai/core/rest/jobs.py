"""Jobs: submit, list, read, stop (tag *job*).

A job's key is ``<user>~<name>``. The functions return the server's answers; what a script wants on
top (waiting, following, submitting exactly once) is in :mod:`openpai.core.client.remote_job` and
:mod:`openpai.core.client.cluster`.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping

from openpai.core.rest.models import Event, JobDetail, JobSummary
from openpai.core.rest.reconcile import AMBIGUOUS_ERRORS, get_after_lost_answer
from openpai.core.rest.responses import text
from openpai.core.rest.session import Session, segment

__all__ = [
    "add_tag",
    "count_jobs",
    "delete_tag",
    "every_job",
    "get_config",
    "get_job",
    "list_events",
    "list_jobs",
    "set_execution_type",
    "submit_job",
]


def submit_job(session: Session, text: str) -> None:
    """``POST /api/v2/jobs`` with the job's YAML; any token (rest-server/src/controllers/v2/job.js).

    The server answers 202: recorded, and readable at once under ``<user>~<name>``.

    Raises:
        ConflictError: A job of this user has the name, whatever its state.
        ApiError: The job breaks the protocol or asks for what is not granted to the user.
        ConnectionFailed: No answer came; the job may exist.
    """
    session.json(
        "POST",
        "/jobs",
        data=text.encode("utf-8"),
        headers={"Content-Type": "text/yaml; charset=utf-8"},
    )


def list_jobs(session: Session, **filters: Any) -> list[JobSummary]:
    """``GET /api/v2/jobs``, one page of everybody's jobs; any token.

    Source: rest-server/src/controllers/v2/job.js.

    Args:
        session: The cluster's session.
        **filters: The server's own query keys: ``username``, ``vc``, ``state``, ``keyword``,
            ``jobPriority``, ``tagsContain``, ``tagsNotContain``, ``offset``, ``limit`` (5000 unless
            given, 50000 at most), ``order`` (``FIELD,ASC`` or ``FIELD,DESC``). A list is sent as
            comma list; ``None`` is left out.
    """
    params = {key: _joined(value) for key, value in filters.items() if value is not None}
    return [JobSummary(raw) for raw in session.get("/jobs", params, kind=list)]


def count_jobs(session: Session, **filters: Any) -> int:
    """``GET /api/v2/jobs`` with ``withTotalCount``: how many jobs the filters let through.

    Any token.

    Source: rest-server/src/controllers/v2/job.js.
    """
    params = {key: _joined(value) for key, value in filters.items() if value is not None}
    asked = {"limit": 0, **params, "withTotalCount": "true"}
    return int(session.get("/jobs", asked, kind=int, key="totalCount"))


def _joined(value: Any) -> Any:
    return ",".join(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def get_job(session: Session, key: str, attempt: int | None = None) -> JobDetail:
    """``GET /api/v2/jobs/{user}~{job}``, or ``GET /api/v2/jobs/{user}~{job}/attempts/{attempt}``.

    Any token; the job's ``debugId`` may stand for ``<user>~<name>``.

    Source: rest-server/src/controllers/v2/job.js.

    Raises:
        JobNotFoundError: There is no such job, or no such attempt.
    """
    which = "" if attempt is None else f"/attempts/{attempt}"
    return JobDetail(session.get(f"/jobs/{segment(key)}{which}", kind=dict))


def get_config(session: Session, key: str) -> str:
    """``GET /api/v2/jobs/{user}~{job}/config``: the stored job, its secrets masked.

    Any token. The answer says ``text/yaml``; current servers send JSON, which is YAML too.

    Source: rest-server/src/controllers/v2/job.js.

    Raises:
        JobNotFoundError: There is no such job.
    """
    return str(session.request("GET", f"/jobs/{segment(key)}/config", read=text))


def set_execution_type(session: Session, key: str, value: str) -> None:
    """``PUT /api/v2/jobs/{user}~{job}/executionType``; its owner or an admin.

    ``value`` is ``STOP`` or ``START``; a job that has ended does not start again. The answer 202
    means that the request is recorded; stopping takes up to minutes.

    Source: rest-server/src/controllers/v2/job.js.

    Raises:
        JobNotFoundError: There is no such job.
        PermissionDeniedError: It is another user's.
        ServerError: The job has ended and was cleaned up (the server answers 500).
    """
    path = f"/jobs/{segment(key)}/executionType"
    session.send("PUT", path, {"value": value}, repeatable=True)


def list_events(session: Session, key: str, kind: str | None = None) -> list[Event]:
    """``GET /api/v2/jobs/{user}~{job}/events``, newest first; any token.

    ``kind`` is ``Normal`` or ``Warning``; ``None`` means both.

    Source: rest-server/src/controllers/v2/job.js.

    Raises:
        JobNotFoundError: There is no such job.
    """
    params: Mapping[str, str] | None = {"type": kind} if kind else None
    found = session.get(f"/jobs/{segment(key)}/events", params, kind=list, key="data")
    return [Event(raw) for raw in found]


def add_tag(session: Session, key: str, tag: str) -> None:
    """``PUT /api/v2/jobs/{user}~{job}/tag``; its owner or an admin. Adding a tag twice is fine.

    A tag is a text without commas, of at most 512 characters.

    Source: rest-server/src/controllers/v2/job.js.

    Raises:
        PermissionDeniedError: The job is another user's (checked before it is looked up).
        JobNotFoundError: There is no such job.
    """
    session.send("PUT", f"/jobs/{segment(key)}/tag", {"value": tag}, repeatable=True)


def delete_tag(session: Session, key: str, tag: str) -> None:
    """``DELETE /api/v2/jobs/{user}~{job}/tag``; its owner or an admin.

    Source: rest-server/src/controllers/v2/job.js.

    Raises:
        NotFoundError: The job lacks the tag, or there is no such job.
        PermissionDeniedError: The job is another user's.
        ConnectionFailed: No answer came, and the job has the tag.
    """
    try:
        session.send("DELETE", f"/jobs/{segment(key)}/tag", {"value": tag})
    except AMBIGUOUS_ERRORS as error:
        job = get_after_lost_answer(error, lambda: get_job(session, key))
        if job is None or tag in job.tags:
            raise


_PAGE = 5000


# Jobs of the same second have no order among them, and jobs that no longer pass a filter move all
# later ones up; overlapping pages make up for both (database-controller/sdk/index.js).
_OVERLAP = 100


def every_job(session: Session, limit: int | None = None, **filters: Any) -> Iterator[JobSummary]:
    """Yield the jobs that pass the filters, in the server's order, each once.

    Args:
        session: The cluster's session.
        limit: The maximum number of jobs.
        **filters: As for :func:`~openpai.core.rest.jobs.list_jobs`, but ``offset`` and ``limit``.
    """
    seen: set[str] = set()
    offset = 0
    while limit is None or len(seen) < limit:
        size = _PAGE if limit is None else min(limit - len(seen) + _OVERLAP, _PAGE)
        page = list_jobs(session, offset=offset, limit=size, **filters)
        got, before = len(page), len(seen)
        page.reverse()
        while page and (limit is None or len(seen) < limit):
            job = page.pop()  # so that no page is kept longer than it is looked at
            if job.debug_id not in seen:
                seen.add(job.debug_id)
                yield job
        # A page may be short because rows that PAI has not made are left out of it.
        if got < size // 2 or len(seen) == before:
            return
        offset += got - _OVERLAP
