"""A job or a sweep, watched from a notebook: one output, renewed in place until all has ended.

Plain display updates are enough for it, so that no front end needs an extension. What is shown last
is an ordinary output: it is saved with the notebook, and still there when it is opened again.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Sequence, overload

from openpai.core.errors import OpenPaiError
from openpai.notebook.ipython.display import detail_html, detail_text, sweep_bundle

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob
    from openpai.core.rest import JobDetail
    from openpai.core.sweeps import Sweep, SweepJob

__all__ = ["watch"]

_TAIL = 15

#: Line of a notebook job's log that names the running cell (:mod:`openpai.notebook.execute.run`).
_CELL_LINE = re.compile(r"openpai-notebook: cell (\d+ of \d+)( is left out.*)?$")


class _Snapshot(NamedTuple):
    """State of a job or sweep at one moment.

    Attributes:
        bundle: Output for a notebook, by media type.
        news: Line for a terminal, unless it is unchanged.
        ended: Whether it has ended.
        found: What :func:`watch` returns then.
    """

    bundle: dict[str, str]
    news: str
    ended: bool
    found: Any


class _View(Protocol):
    def snapshot(self) -> _Snapshot:
        """Return the current state."""


@overload
def watch(watched: RemoteJob, *, poll: float = 1.0) -> JobDetail: ...
@overload
def watch(watched: Sweep, *, poll: float = 1.0) -> list[SweepJob]: ...
def watch(watched: RemoteJob | Sweep, *, poll: float = 1.0) -> JobDetail | list[SweepJob]:
    """Show a job, or the jobs of a sweep, until they have ended.

    Of a job that is its state, how far it is, its tasks and the end of its log; of a sweep a row
    for each job with its parameters and state, and what notebooks have recorded. Interrupting the
    cell ends the watching; the jobs keep running. In a terminal it writes a line for each change.

    Args:
        watched: The job, or the sweep.
        poll: Seconds between two looks.

    Returns:
        The job as it ended, or the sweep's jobs.

    Raises:
        NotFoundError: There is no such job or sweep.
        OpenPaiError: The cluster could not be asked for 10 minutes on end.
    """
    from openpai.core.retry import Backoff
    from openpai.core.sweeps import Sweep
    from openpai.notebook.source import in_notebook

    view: _View = _SweepView(watched) if isinstance(watched, Sweep) else _JobView(watched)
    shown: _Cell | _Terminal = _Cell() if in_notebook() else _Terminal()
    backoff = Backoff()
    while True:
        try:
            snapshot = view.snapshot()
            backoff.reset()
        except OpenPaiError as error:
            backoff.wait(error)
            continue
        shown.show(snapshot)
        if snapshot.ended:
            return snapshot.found  # type: ignore[no-any-return]  # what the view of this kind returns
        time.sleep(poll)


class _Cell:
    """One output of a cell, renewed in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, snapshot: _Snapshot) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(snapshot.bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(snapshot.bundle, raw=True)


class _Terminal:
    """Lines of text, whenever there is something new to say."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, snapshot: _Snapshot) -> None:
        if snapshot.news != self._last:
            sys.stdout.write(
                f"{snapshot.bundle['text/plain'] if snapshot.ended else snapshot.news}\n"
            )
        self._last = snapshot.news


class _JobView:
    def __init__(self, job: RemoteJob) -> None:
        self._job = job
        self._progress = ""

    def snapshot(self) -> _Snapshot:
        detail = self._job.status()
        log = _tail(self._job)
        self._progress = _progress(log) or self._progress
        bundle = {
            "text/html": detail_html(detail, log, self._progress),
            "text/plain": detail_text(detail, log, self._progress),
        }
        cell = f", cell {self._progress}" if self._progress else ""
        return _Snapshot(bundle, f"{detail.key}: {detail.state}{cell}", detail.ended, detail)


class _SweepView:
    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def snapshot(self) -> _Snapshot:
        jobs = self._sweep.jobs()
        record = self._sweep.record
        submitting = record is not None and record.is_being_submitted()
        ended = not submitting and not any(job.is_active for job in jobs)
        bundle = sweep_bundle(self._sweep)
        states = Counter(job.state or "not submitted" for job in jobs)
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        return _Snapshot(bundle, f"{self._sweep.name}: {counts}", ended, jobs)


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
