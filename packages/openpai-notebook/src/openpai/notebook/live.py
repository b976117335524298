"""A job, watched from a notebook: one output that is renewed in place until the job has ended.

Plain display updates are enough for it, so that no front end needs an extension. What is shown last
is an ordinary output: it is saved with the notebook, and still there when it is opened again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openpai.core.errors import OpenPaiError
from openpai.notebook.display import detail_html, detail_text

if TYPE_CHECKING:
    from openpai.core.remote_job import RemoteJob
    from openpai.core.rest.job_records import JobDetail

__all__ = ["watch"]

_TAIL = 15


def watch(job: RemoteJob, *, poll: float = 1.0) -> JobDetail:
    """Show a job's state, its tasks and the end of its log until it has ended.

    Interrupting the cell ends the watching; the job goes on.

    Args:
        job: The job.
        poll: Seconds between two looks.

    Returns:
        The job as it ended.

    Raises:
        JobNotFoundError: There is no such job.
        OpenPaiError: The cluster could not be asked for 10 minutes on end.
    """
    from IPython.display import display

    from openpai.core.patience import Patience

    patience = Patience()
    handle: Any = None
    shown: dict[str, str] = {}
    while True:
        try:
            detail = job.status()
            patience.relax()
        except OpenPaiError as error:
            patience.bear(error)
            continue
        bundle = _bundle(job, detail)
        if handle is None:
            handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        elif bundle != shown:
            handle.update(bundle, raw=True)
        shown = bundle
        if detail.ended:
            return detail
        time.sleep(poll)


def _bundle(job: RemoteJob, detail: JobDetail) -> dict[str, str]:
    """Return what is shown, as HTML and as text for front ends without it."""
    log = _tail(job)
    return {"text/html": detail_html(detail, log), "text/plain": detail_text(detail, log)}


def _tail(job: RemoteJob) -> list[str]:
    """Return the last lines of the log; nothing before a task has begun."""
    try:
        return list(job.logs(tail=_TAIL))[-_TAIL:]
    except OpenPaiError:
        return []
