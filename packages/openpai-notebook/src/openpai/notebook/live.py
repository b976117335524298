"""A job, watched from a notebook: one output that is renewed in place until the job has ended.

Plain display updates are enough for it, so that no front end needs an extension. What is shown last
is an ordinary output: it is saved with the notebook, and still there when it is opened again.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Sequence

from openpai.core.errors import OpenPaiError
from openpai.notebook.display import detail_html, detail_text

if TYPE_CHECKING:
    from openpai.core.remote_job import RemoteJob
    from openpai.core.rest.job_records import JobDetail

__all__ = ["watch"]

_TAIL = 15

#: How the log of a notebook's job tells which cell runs (:mod:`openpai.notebook.execute.run`).
_CELL_LINE = re.compile(r"openpai-notebook: cell (\d+ of \d+)( is left out.*)?$")


def watch(job: RemoteJob, *, poll: float = 1.0) -> JobDetail:
    """Show a job's state, how far it is, its tasks and the end of its log until it has ended.

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
    progress = ""
    while True:
        try:
            detail = job.status()
            patience.relax()
        except OpenPaiError as error:
            patience.bear(error)
            continue
        log = _tail(job)
        progress = _progress(log) or progress
        bundle = {
            "text/html": detail_html(detail, log, progress),
            "text/plain": detail_text(detail, log, progress),
        }
        if handle is None:
            handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            handle.update(bundle, raw=True)
        if detail.ended:
            return detail
        time.sleep(poll)


def _tail(job: RemoteJob) -> list[str]:
    """Return the last lines of the log; nothing before a task has begun."""
    try:
        return list(job.logs(tail=_TAIL))[-_TAIL:]
    except OpenPaiError:
        return []


def _progress(log: Sequence[str]) -> str:
    """Return ``2 of 5`` where the log says that the second cell runs."""
    found = [match[1] for match in map(_CELL_LINE.search, log) if match]
    return found[-1] if found else ""
