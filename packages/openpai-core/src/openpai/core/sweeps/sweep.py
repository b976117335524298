"""A sweep as one object: submit it within bounds, list it, wait for it, stop it, run parts again.

::

    sweep = Sweep.create(cluster, Job.from_file("train.yaml"), grid(lr=[0.1, 0.01]), max_parallel=4)
    sweep.submit()
    sweep.wait()
    sweep.rerun()                       # what failed, under new names

Its jobs carry the tag ``sweep.<name>``, so every machine finds them. What is still to be submitted
is kept in a file of this machine (:mod:`openpai.core.sweeps.state`); a process that dies is started
again and goes on where the cluster says that it is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence, TypeVar

from openpai.core.client import Outcome, each, submit_all
from openpai.core.errors import NotFoundError, OpenPaiError, WaitTimeout
from openpai.core.retry import Backoff, RateLimitGate
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
_MOST_AT_ONCE = 64

S = TypeVar("S", bound="Sweep")
OnOutcome = Callable[[Outcome], None]


@dataclass(frozen=True)
class SweepJob:
    """The latest job of one point of a sweep.

    Attributes:
        name: Its name.
        first: The name of the point's first job.
        number: Which try it is, from 1.
        parameters: What it was given; ``None`` where only the cluster knows.
        state: The server's word; ``None``: it has not been submitted.
        summary: What the list of jobs says of it.
    """

    name: str
    first: str
    number: int
    parameters: Point | None
    state: str | None
    summary: JobSummary | None = None

    @property
    def ended(self) -> bool:
        """Whether it has SUCCEEDED, FAILED or STOPPED."""
        return self.state in TERMINAL_STATES

    @property
    def goes_on(self) -> bool:
        """Whether it was submitted and has not ended."""
        return self.state is not None and not self.ended


class Sweep:
    """The jobs of one user under one name.

    Args:
        cluster: Where they are.
        name: The sweep's name, which theirs begin with.
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
        """Plan one job for each point, and send their code; nothing is submitted yet.

        Args:
            cluster: Where to.
            job: The job; what a point does not name stays as it is.
            points: The parameters of each job.
            name: The sweep's name; ``None``: the job's own.
            extras: What the submission adds to the job.
            base: The folder that the paths of its sources are kept relative to; the current one.
            max_parallel: How many jobs may go on at the same time.
            tags: Given to every job besides the sweep's own tag.

        A sweep of this name that is known here gets the points that it lacks.

        Raises:
            OpenPaiError: The job has no name, or does not know a parameter.
            ProtocolError: A job breaks the protocol.
            ConnectionFailed: The cluster does not answer.
        """
        from openpai.core.client import NO_EXTRAS, prepare_once

        wanted = [dict(point) for point in points]
        jobs = sweep_jobs(job, wanted, name)
        for one in jobs:
            one.validate()
        known_as = str(name or job.name)
        ready = prepare_once(job.renamed(known_as), cluster, extras or NO_EXTRAS, base=base)
        SweepRecord(
            known_as,
            cluster.uri,
            cluster.user,
            ready.to_yaml(),
            wanted,
            max_parallel,
            tags=list(tags),
        ).save()
        return cls(cluster, known_as)

    @property
    def tag(self) -> str:
        """The tag of its jobs."""
        return _TAG + self.name

    def jobs(self) -> list[SweepJob]:
        """Return the latest job of every point, in the order of the points.

        Raises:
            NotFoundError: There is no such sweep, neither here nor on the cluster.
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        return self._among(self.cluster.jobs(user=self.cluster.user, keyword=self.name))

    def _among(self, listed: Iterable[JobSummary]) -> list[SweepJob]:
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
        """Submit what has not been; return when all of it is, or the sweep was stopped.

        Where ``max_parallel`` bounds it, that takes until all but the last jobs have ended. What
        is there already counts as ``existed`` if it has this very description, else as failed.

        Raises:
            NotFoundError: This machine does not know what to submit.
            ConflictError: Another process of this machine does it already.
            OpenPaiError: The cluster could not be asked for 10 minutes on end.
        """
        record = self._known()
        record.mark_stopped(False)
        states = {job.first: job.state for job in self.jobs()}
        planned = self._planned(record)
        there = [name for name in record.names if states[name] is not None]
        missing = [name for name in record.names if states[name] is None]
        outcomes = self._submit_now(record, map(planned, there), on_outcome)
        outcomes += self._send(record, missing, planned, on_outcome)
        found = {outcome.name: outcome for outcome in outcomes}
        return [found[name] for name in record.names if name in found]

    def bound(self, max_parallel: int) -> None:
        """Let at most so many jobs go on at the same time, from now on.

        Raises:
            NotFoundError: This machine does not know what to submit.
        """
        self.record = replace(self._known(), max_parallel=max_parallel).save()

    def rerun(
        self,
        states: Sequence[str] = ("FAILED",),
        *,
        max_parallel: int | None = None,
        on_outcome: OnOutcome | None = None,
    ) -> list[Outcome]:
        """Run again, under new names, the points whose latest jobs ended in one of the states.

        Args:
            states: FAILED, STOPPED or SUCCEEDED.
            max_parallel: How many of the sweep's jobs may go on at the same time; ``None``: as it
                was submitted.
            on_outcome: Called with each outcome as it comes.

        Raises:
            ConflictError: Another process of this machine is submitting for the sweep.
            OpenPaiError: The cluster could not be asked for 10 minutes on end.
        """
        from openpai.core.client import copy_of

        again = {try_name(job.first, job.number + 1): job for job in self.to_rerun(states)}
        record = self.record or SweepRecord(self.name, self.cluster.uri, self.cluster.user, "")
        planned = self._planned(record) if self.record else None

        def make(name: str) -> Job:
            before = again[name]
            if planned is not None and before.parameters is not None:
                return planned(before.first).renamed(name)
            return copy_of(self.cluster.job(before.name), name)

        if self.record:
            record.mark_stopped(False)
        return self._send(record, list(again), make, on_outcome, max_parallel)

    def to_rerun(self, states: Sequence[str] = ("FAILED",)) -> list[SweepJob]:
        """Return the jobs that :meth:`rerun` would run again."""
        return [job for job in self.jobs() if job.state in states]

    def stop(self, *, on_outcome: OnOutcome | None = None) -> list[Outcome]:
        """Submit no more, and stop every job that goes on.

        Raises:
            NotFoundError: There is no such sweep.
            ApiError: The list of jobs was refused.
            ConnectionFailed: The list of jobs could not be had.
        """
        if self.record:
            self.record.mark_stopped(True)
            deadline = time.monotonic() + _SUBMITTER_SECONDS
            while self.record.is_being_submitted() and time.monotonic() < deadline:
                time.sleep(0.2)
        going = [self.cluster.job(job.name) for job in self.jobs() if job.goes_on]

        def stop(remote: Any, gate: RateLimitGate) -> Outcome:
            gate.run(remote.stop)
            return Outcome(remote, "stopped")

        return each(going, stop, lambda r, e: Outcome(r, "failed", e), on_outcome=on_outcome)

    def wait(
        self,
        timeout: float | None = None,
        on_change: Callable[[list[SweepJob]], None] | None = None,
    ) -> list[SweepJob]:
        """Return the jobs when none of them goes on and no process here submits any more.

        Raises:
            WaitTimeout: The time ran out; the jobs go on.
            OpenPaiError: The cluster could not be asked for 10 minutes on end.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        backoff, pause = Backoff(was_well=self.cluster.session.answered), _SHORTEST_POLL
        while True:
            submitting = self.record is not None and self.record.is_being_submitted()
            try:
                jobs = self.jobs()
                backoff.reset()
                if on_change is not None:
                    on_change(jobs)
                if not submitting and not any(job.goes_on for job in jobs):
                    return jobs
            except OpenPaiError as error:
                backoff.wait(error, deadline - time.monotonic())
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(
                    f"Sweep '{self.name}' has not ended within {timeout:g} s; it goes on.",
                    f"Wait again: opai sweep wait {self.name}",
                )
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_POLL)

    def _known(self) -> SweepRecord:
        if self.record is None:
            raise NotFoundError(
                f"This machine does not know what is left to submit of the sweep '{self.name}'.",
                status=404,
                hint="Give its command line again: opai job sweep FILE -p …",
            )
        return self.record

    def _planned(self, record: SweepRecord) -> Callable[[str], Job]:
        """Return a function that makes the job of a point from its first name."""
        from openpai.core.protocol import Job

        jobs = sweep_jobs(Job.from_yaml(record.job), record.points, record.name)
        return {str(job.name): job for job in jobs}.__getitem__

    def _send(
        self,
        record: SweepRecord,
        wanted: Sequence[str],
        make: Callable[[str], Job],
        on_outcome: OnOutcome | None,
        max_parallel: int | None = None,
    ) -> list[Outcome]:
        """Submit the jobs of these names as places become free, until the sweep is stopped."""
        most = max_parallel or record.max_parallel
        outcomes: list[Outcome] = []
        waiting = list(wanted)
        backoff, pause = Backoff(was_well=self.cluster.session.answered), _SHORTEST_POLL
        record.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with record.submitting():
            while waiting and not (self.record and record.is_stopped()):
                try:
                    free = len(waiting) if most is None else most - self._going_on(outcomes)
                    count = min(max(free, 0), _MOST_AT_ONCE)
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

    def _going_on(self, sent: Sequence[Outcome]) -> int:
        """Return how many jobs go on; what was sent and is not listed yet counts, too."""
        jobs = self.jobs()
        unlisted = {o.name for o in sent if o.ok} - {job.name for job in jobs if job.state}
        return sum(job.goes_on for job in jobs) + len(unlisted)


def all_sweeps(cluster: Cluster) -> dict[str, list[SweepJob]]:
    """Return the jobs of every sweep that this machine or the cluster knows, by its name.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    listed = list(cluster.jobs(user=cluster.user))
    tags = (tag for job in listed for tag in job.tags)
    names = [tag[len(_TAG) :] for tag in tags if tag.startswith(_TAG)]
    names += [record.name for record in recorded_sweeps(cluster.uri, cluster.user)]
    return {name: Sweep(cluster, name)._among(listed) for name in dict.fromkeys(names)}


def _latest(first: str, point: Point | None, job: JobSummary | None) -> SweepJob:
    if job is None:
        return SweepJob(first, first, 1, point, None)
    return SweepJob(job.name, first, split_try(job.name)[1], point, job.state, job)
