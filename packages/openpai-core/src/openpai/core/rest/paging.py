"""Walk through a long list of jobs although the server pages by offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

from openpai.core.rest.jobs import list_jobs

if TYPE_CHECKING:
    from openpai.core.rest.models import JobSummary
    from openpai.core.rest.session import Session

__all__ = ["every_job"]

_PAGE = 5000
# Jobs of the same second have no order among them, and jobs that no longer pass a filter move all
# later ones up; overlapping pages make up for both (database-controller/sdk/index.js).
_OVERLAP = 100


def every_job(session: Session, limit: int | None = None, **filters: Any) -> Iterator[JobSummary]:
    """Yield the jobs that pass the filters, in the server's order, each once.

    Args:
        session: The cluster's session.
        limit: At most so many.
        **filters: As for :func:`~openpai.core.rest.jobs.list_jobs`, but ``offset`` and ``limit``.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: No answer came.
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
