"""Sweeps: submit many jobs with a limit, list them, wait for them, stop them, rerun some.

::

    sweep = Sweep.create(cluster, Job.from_file("train.yaml"), grid(lr=[0.1, 0.01]), max_parallel=4)
    sweep.submit()
    sweep.wait()
    sweep.rerun()                       # failed jobs, under new names

Its jobs have the tag ``sweep.<name>``, so that every machine finds them. The jobs to submit are in
a file of this machine (:mod:`openpai.core.sweeps.state`); an interrupted submission continues from
the jobs that the cluster has.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Callable, Iterable, Mapping, Sequence, TypeVar

from openpai.core.client import Outcome, stop_jobs, submit_all
from openpai.core.errors import NotFoundError, OpenPaiError, WaitTimeout
from openpai.core.retry import Backoff, poll
from openpai.core.states import TERMINAL_STATES
from openpai.core.sweeps.parameters import Point, split_try, sweep_jobs, try_name
from openpai.core.sweeps.state import SweepRecord, recorded_sweeps

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.client import Cluster, Extras
    from openpai.core.protocol import Job
    from openpai.core.rest import JobSummary

__all__ = ["Sweep", "SweepJob", "all_sweeps"]

_TAG = "sweep."
_SHORTEST_POLL, _LONGEST_POLL = 0.5, 5.0
_SUBMITTER_SECONDS = 30.0
_MAX_BATCH = 64

S = TypeVar("S", bound="Sweep")
OnOutcome = Callable[[Outcome], None]


@dataclass(frozen=True)
class SweepJob:
    """The latest job of one point of a sweep.

    Attributes:
        name: Its name.
        first: The name of the point's first job.
        number: The number of the try, from 1.
        parameters: Its parameters; ``None`` if this machine does not know them.
        state: Its state; ``None`` if it has not been submitted.
        summary: Its item in the list of jobs.
    """

    name: str
    first: str
    number: int
    parameters: Point | None
    state: str | None
    summary: JobSummary | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.state in TERMINAL_STATES

    @property
    def is_active(self) -> bool:
        """Whether it was submitted and has not ended."""
        return self.state is not None and not self.ended


class Sweep:
    """The jobs of one user's sweep.

    Args:
        cluster: The cluster.
        name: The sweep's name, the prefix of theirs.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.record = SweepRecord.load(cluster.uri, cluster.user, name)

    @classmethod
    def create(
        cls: type[S],
        cluster: Cluster,
        job: Job,
        points: Iterable[Point],
        name: str | None = None,
        *,
        extras: Extras | None = None,
        base: Path | None = None,
        max_parallel: int | None = None,
        tags: Sequence[str] = (),
    ) -> S:
        """Plan a job for each point and upload their code, without submitting them.

        Args:
            cluster: The cluster.
            job: The job, whose other parameters are kept.
            points: The parameters of each job; added to a sweep of this name.
            name: The sweep's name; ``None`` for the job's name.
            extras: What the submission adds to the job.
            base: The folder to which paths of sources are relative; the current one by default.
            max_parallel: Maximum number of active jobs.
            tags: Further tags of every job.

        Raises:
            OpenPaiError: The job has no name, or lacks a parameter.
            ProtocolError: A job breaks the protocol.
            ConnectionFailed: The cluster does not answer.
        """
        from openpai.core.client import NO_EXTRAS, prepare_once
        from openpai.core.protocol import can_validate

        wanted = [dict(point) for point in points]
        jobs = sweep_jobs(job, wanted, name)
        if can_validate():
            for one in jobs:
                one.validate()
        label = str(name or job.name)
        ready = prepare_once(job.renamed(label), cluster, extras or NO_EXTRAS, base=base)
        SweepRecord(
            label,
            cluster.uri,
            cluster.user,
            ready.to_yaml(),
            wanted,
            max_parallel,
            tags=list(tags),
        ).save()
        return cls(cluster, label)

    @property
    def tag(self) -> str:
        """The tag of its jobs."""
        return _TAG + self.name

    def jobs(self) -> list[SweepJob]:
        """Return the latest job of every point, in the order of the points.

        Raises:
            NotFoundError: There is no such sweep, on this machine or on the cluster.
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        return self._select(self.cluster.jobs(user=self.cluster.user, keyword=self.name))

    def _select(self, listed: Iterable[JobSummary]) -> list[SweepJob]:
        """Return the latest job of every point, from a list of the user's jobs."""
        planned: Mapping[str, Point] = self.record.names if self.record else {}
        latest: dict[str, JobSummary] = {}
        for job in listed:
            first, number = split_try(job.name)
            ours = self.tag in job.tags or first in planned
            if ours and (first not in latest or number > split_try(latest[first].name)[1]):
                latest[first] = job
        if not planned and not latest:
            raise NotFoundError(
                f"There is no sweep '{self.name}'.", status=404, hint="See: opai sweep list"
            )
        others = sorted(first for first in latest if first not in planned)
        every = [*planned, *others]
        return [_latest(first, planned.get(first), latest.get(first)) for first in every]

    def submit(self, *, on_outcome: OnOutcome | None = None) -> list[Outcome]:
        """Submit the missing jobs; return when all are submitted or the sweep was stopped.

        With ``max_parallel`` that takes until all but the last jobs have ended. Existing jobs count
        as ``existed`` if they have the same config, else as failed.

        Raises:
            NotFoundError: This machine does not know the jobs.
            ConflictError: Another process of this machine submits them.
            OpenPaiError: The cluster did not answer for 10 minutes.
        """
        record = self._require_record()
        record.mark_stopped(False)
        states = {job.first: job.state for job in self.jobs()}
        planned = self._job_factory(record)
        there = [name for name in record.names if states[name] is not None]
        missing = [name for name in record.names if states[name] is None]
        outcomes = self._submit_now(record, map(planned, there), on_outcome)
        outcomes += self._submit_bounded(record, missing, planned, on_outcome)
        found = {outcome.name: outcome for outcome in outcomes}
        return [found[name] for name in record.names if name in found]

    def set_max_parallel(self, max_parallel: int) -> None:
        """Change the maximum number of active jobs.

        Raises:
            NotFoundError: This machine does not know the jobs.
        """
        self.record = replace(self._require_record(), max_parallel=max_parallel).save()

    def rerun(
        self,
        states: Sequence[str] = ("FAILED",),
        *,
        max_parallel: int | None = None,
        on_outcome: OnOutcome | None = None,
    ) -> list[Outcome]:
        """Submit again, under new names, the points whose latest jobs are in one of the states.

        Args:
            states: FAILED, STOPPED or SUCCEEDED.
            max_parallel: Maximum number of active jobs; ``None`` for that of the submission.
            on_outcome: Called with each outcome as it comes.

        Raises:
            ConflictError: Another process of this machine is submitting for the sweep.
            OpenPaiError: The cluster did not answer for 10 minutes.
        """
        from openpai.core.client import copy_of

        again = {try_name(job.first, job.number + 1): job for job in self.to_rerun(states)}
        record = self.record or SweepRecord(self.name, self.cluster.uri, self.cluster.user, "")
        planned = self._job_factory(record) if self.record else None

        def make(name: str) -> Job:
            before = again[name]
            if planned is not None and before.parameters is not None:
                return planned(before.first).renamed(name)
            return copy_of(self.cluster.job(before.name), name)

        if self.record:
            record.mark_stopped(False)
        return self._submit_bounded(record, list(again), make, on_outcome, max_parallel)

    def to_rerun(self, states: Sequence[str] = ("FAILED",)) -> list[SweepJob]:
        """Return the jobs that :meth:`rerun` would submit again."""
        return [job for job in self.jobs() if job.state in states]

    def stop(self, *, on_outcome: OnOutcome | None = None) -> list[Outcome]:
        """Stop the submission and every active job.

        Raises:
            NotFoundError: There is no such sweep.
            ApiError: The server refused the list of jobs.
            ConnectionFailed: The list of jobs could not be read.
        """
        if self.record:
            self.record.mark_stopped(True)
            deadline = time.monotonic() + _SUBMITTER_SECONDS
            while self.record.is_being_submitted() and time.monotonic() < deadline:
                time.sleep(0.2)
        active = [self.cluster.job(job.name) for job in self.jobs() if job.is_active]
        return stop_jobs(active, on_outcome=on_outcome)

    def wait(
        self,
        timeout: float | None = None,
        on_change: Callable[[list[SweepJob]], None] | None = None,
    ) -> list[SweepJob]:
        """Return the jobs when none is active and no process of this machine submits.

        Raises:
            WaitTimeout: The time ran out; the jobs keep running.
            OpenPaiError: The cluster did not answer for 10 minutes.
        """

        def look() -> list[SweepJob] | None:
            submitting = self.record is not None and self.record.is_being_submitted()
            jobs = self.jobs()
            if on_change is not None:
                on_change(jobs)
            return None if submitting or any(job.is_active for job in jobs) else jobs

        def expired() -> WaitTimeout:
            return WaitTimeout(
                f"Sweep '{self.name}' has not ended within {timeout:g} s; it keeps running.",
                f"Wait again: opai sweep wait {self.name}",
            )

        return poll(
            look,
            timeout=timeout,
            on_timeout=expired,
            was_well=self.cluster.session.answered,
            pauses=(_SHORTEST_POLL, _LONGEST_POLL),
        )

    def _require_record(self) -> SweepRecord:
        if self.record is None:
            raise NotFoundError(
                f"This machine does not know the jobs of the sweep '{self.name}'.",
                status=404,
                hint="Give its command line again: opai job sweep FILE -p …",
            )
        return self.record

    def _job_factory(self, record: SweepRecord) -> Callable[[str], Job]:
        """Return a function from the first name of a point to its job."""
        from openpai.core.protocol import Job

        jobs = sweep_jobs(Job.from_yaml(record.job), record.points, record.name)
        return {str(job.name): job for job in jobs}.__getitem__

    def _submit_bounded(
        self,
        record: SweepRecord,
        wanted: Sequence[str],
        make: Callable[[str], Job],
        on_outcome: OnOutcome | None,
        max_parallel: int | None = None,
    ) -> list[Outcome]:
        """Submit jobs by name within ``max_parallel``, until the sweep is stopped."""
        most = max_parallel or record.max_parallel
        outcomes: list[Outcome] = []
        waiting = list(wanted)
        backoff, pause = Backoff(was_well=self.cluster.session.answered), _SHORTEST_POLL
        record.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with record.submitting():
            while waiting and not (self.record and record.is_stopped()):
                try:
                    free = len(waiting) if most is None else most - self._active_count(outcomes)
                    count = min(max(free, 0), _MAX_BATCH)
                    sent = self._submit_now(record, map(make, waiting[:count]), on_outcome)
                    backoff.reset()
                except OpenPaiError as error:
                    backoff.wait(error)
                    continue
                outcomes += sent
                del waiting[: len(sent)]
                if waiting and most is not None:
                    time.sleep(pause)
                    pause = _SHORTEST_POLL if sent else min(pause * 1.5, _LONGEST_POLL)
        return outcomes

    def _submit_now(
        self, record: SweepRecord, jobs: Iterable[Job], on_outcome: OnOutcome | None
    ) -> list[Outcome]:
        return submit_all(
            self.cluster,
            jobs,
            tag=[self.tag, *record.tags],
            on_outcome=on_outcome,
            cancelled=record.is_stopped if self.record else lambda: False,
        )

    def _active_count(self, sent: Sequence[Outcome]) -> int:
        """Return the number of active jobs, with those that were sent and are not listed yet."""
        jobs = self.jobs()
        unlisted = {o.name for o in sent if o.ok} - {job.name for job in jobs if job.state}
        return sum(job.is_active for job in jobs) + len(unlisted)


def all_sweeps(cluster: Cluster) -> dict[str, list[SweepJob]]:
    """Return the jobs of every sweep of this machine or the cluster, by name.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    listed = list(cluster.jobs(user=cluster.user))
    tags = (tag for job in listed for tag in job.tags)
    names = [tag[len(_TAG) :] for tag in tags if tag.startswith(_TAG)]
    names += [record.name for record in recorded_sweeps(cluster.uri, cluster.user)]
    return {name: Sweep(cluster, name)._select(listed) for name in dict.fromkeys(names)}


def _latest(first: str, point: Point | None, job: JobSummary | None) -> SweepJob:
    if job is None:
        return SweepJob(first, first, 1, point, None)
    return SweepJob(job.name, first, split_try(job.name)[1], point, job.state, job)
