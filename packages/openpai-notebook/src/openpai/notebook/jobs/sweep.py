"""A sweep over a notebook: one job for each set of parameters, and a table of what they recorded.

::

    from openpai.core.sweeps.parameters import grid

    sweep = sweep_notebook("train.ipynb", grid(lr=[0.1, 0.01], batch=[32, 64]), image="…")
    watch(sweep)
    sweep.results()          # one row for each job: parameters, state, recorded values
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

from openpai.core.environment import in_job_container
from openpai.core.errors import OpenPaiError
from openpai.core.sweeps import Sweep, SweepJob, SweepPlan

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from openpai.core.client import Cluster
    from openpai.core.protocol import JobSpec
    from openpai.notebook.jobs.job import NotebookJob
    from openpai.notebook.jobs.job_spec import NotebookOptions

__all__ = ["NotebookSweep", "plan", "sweep_notebook"]


class NotebookSweep(Sweep):
    """The jobs of a sweep over a notebook."""

    def notebook_jobs(self) -> list[NotebookJob]:
        """Return the latest job of every point that was submitted, in the order of the points.

        Raises:
            OpenPaiError: There is no such sweep, or the cluster does not answer.
        """
        return [self._remote(job) for job in self.jobs() if job.state]

    def results(self) -> list[dict[str, Any]]:
        """Return a row for each point: ``job``, ``state``, its parameters, what it has recorded.

        Where two have one name, what was recorded counts.

        Raises:
            OpenPaiError: There is no such sweep, or the cluster does not answer.
        """
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self._row, self.jobs()))

    def _row(self, job: SweepJob) -> dict[str, Any]:
        row: dict[str, Any] = {"job": job.name, "state": job.state, **(job.parameters or {})}
        return {**row, **(self._recorded(job) if job.state else {})}

    def _recorded(self, job: SweepJob) -> Mapping[str, Any]:
        try:
            return self._remote(job).results()
        except OpenPaiError:  # no results yet; the state of the job is shown
            return {}

    def _remote(self, job: SweepJob) -> NotebookJob:
        from openpai.notebook.jobs.job import NotebookJob

        return NotebookJob(self.cluster, f"{self.cluster.user}~{job.name}")


def sweep_notebook(
    path: str | Path,
    points: Sequence[Mapping[str, Any]],
    *,
    cluster: Cluster | str | None = None,
    max_parallel: int | None = None,
    **options: Unpack[NotebookOptions],
) -> NotebookSweep | None:
    """Submit a notebook once for each set of parameters, and return the sweep.

    The jobs are named by the notebook and their parameters, so that the same call completes what is
    missing and doubles nothing. Inside a job the call does nothing and returns ``None``.

    Args:
        path: The notebook's file.
        points: The sets, as :func:`openpai.core.sweeps.parameters.grid` and its like make them.
        cluster: A cluster, or an alias of the user's list; ``None``: the selected one.
        max_parallel: Maximum number of active jobs; the call then returns when
            the last has been submitted.
        **options: As for :func:`openpai.notebook.submit_notebook`: ``image``, ``gpu``, ``name`` …

    Raises:
        NotebookError: The file is not a notebook, or cannot be converted.
        OpenPaiError: The cluster or its storage refuses or does not answer, or a job was refused.
    """
    if in_job_container():
        return None
    from openpai.core.client import Cluster
    from openpai.notebook.jobs.submission import notebook_spec

    target = cluster if isinstance(cluster, Cluster) else Cluster.load(cluster)
    with plan(Path(path), points, notebook_spec(Path(path), **options)) as made:
        for remark in made.remarks:
            warnings.warn(remark, stacklevel=2)
        sweep = NotebookSweep.create(
            target,
            made.job,
            made.points,
            extras=made.extras,
            base=made.base,
            max_parallel=max_parallel,
        )
    for outcome in sweep.submit():
        if outcome.error:
            raise outcome.error
    return sweep


@contextmanager
def plan(path: Path, points: Sequence[Mapping[str, Any]], spec: JobSpec) -> Iterator[SweepPlan]:
    """Describe the job of a sweep; the entry point of ``opai job sweep``.

    Raises:
        NotebookError: The file is not a notebook, or cannot become what is asked for.
        ConfigError: No image is known.
        OpenPaiError: There is no point, or the points give different parameters.
    """
    from openpai.notebook.jobs.description import describe
    from openpai.notebook.jobs.job_spec import NotebookJobSpec
    from openpai.notebook.jobs.submission import complete_spec

    if not points:
        raise OpenPaiError("A sweep needs at least one set of parameters.")
    for odd in (set(point) ^ set(points[0]) for point in points):
        if odd:
            raise OpenPaiError(
                f"Not all sets of parameters give '{min(odd)}'.", "Give every one a value for it."
            )
    more = {"path": path, "points": [dict(point) for point in points]}
    full = complete_spec(NotebookJobSpec(**{**vars(spec), **more}))
    with describe(full) as found:
        yield SweepPlan(found.job, found.points, found.extras, found.base, found.remarks)
