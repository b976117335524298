"""Do one thing with many jobs, several at a time, within the server's limits.

The server limits how many jobs a user may submit in an hour and how often it may be asked in a
minute (rest-server/src/config/rate-limit.js). What it refuses for that reason waits until it counts
anew and is sent again; nothing fails for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Callable, Iterable, Sequence, TypeVar

from openpai.core.client.remote_job import RemoteJob
from openpai.core.errors import ConflictError, OpenPaiError
from openpai.core.retry import RateLimitGate
from openpai.core.states import ACTIVE_STATES

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.protocol import Job
    from openpai.core.rest import JobSummary

__all__ = ["Outcome", "each", "stop_all", "submit_all"]

T = TypeVar("T")

_CONCURRENCY = 16
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Outcome:
    """What became of one job.

    Attributes:
        remote: The job on the cluster.
        status: ``submitted``; ``existed``: it was there already, with this very config;
            ``stopped``: it was asked to stop; ``failed``.
        error: Why it failed.
    """

    remote: RemoteJob
    status: str
    error: OpenPaiError | None = None

    @property
    def name(self) -> str:
        """The job's name."""
        return self.remote.name

    @property
    def ok(self) -> bool:
        """Whether it did not fail."""
        return self.error is None


def submit_all(
    cluster: Cluster,
    jobs: Iterable[Job],
    *,
    concurrency: int = _CONCURRENCY,
    strict: bool = True,
    tag: str | Sequence[str] = "",
    on_outcome: Callable[[Outcome], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Submit many jobs, each exactly once; what exists with the same config counts as done.

    So a sweep that was broken off is completed by submitting it again.

    Args:
        cluster: Where to.
        jobs: Jobs of different names.
        concurrency: How many calls run at the same time.
        strict: Refuse, too, what the server accepts and would later kill.
        tag: Given to every job; or several.
        on_outcome: Called with each outcome as it comes, in the caller's thread.
        cancelled: Called while jobs wait for a rate limit; once it returns true, they fail.

    Returns:
        One outcome for each job, in the order of ``jobs``. After the cluster was silent for ten
        minutes, or a token that is no longer good, all that are left have failed.

    Raises:
        ProtocolError: A job breaks the protocol; nothing was sent.
        OpenPaiError: Two jobs have one name; nothing was sent.
        ApiError: The list of jobs was refused; nothing was sent.
        ConnectionFailed: The list of jobs could not be had; nothing was sent.
    """
    from openpai.core.client.prepare import prepare_job

    ready = _checked([prepare_job(job, cluster) for job in jobs], strict)
    user = cluster.user
    existing = _existing(cluster, [name for name, _ in ready]) if ready else {}
    tags = list(filter(None, [tag] if isinstance(tag, str) else tag))

    def submit(item: tuple[str, str], gate: RateLimitGate) -> Outcome:
        name, text = item
        remote = RemoteJob(cluster, f"{user}~{name}")
        before = existing.get(name)
        status = gate.run(lambda: _submit_one(cluster, remote, text, before))
        for one in tags:
            if before is None or one not in before.tags:
                gate.run(partial(remote.add_tag, one))
        return Outcome(remote, status)

    def failed(item: tuple[str, str], error: OpenPaiError) -> Outcome:
        return Outcome(RemoteJob(cluster, f"{user}~{item[0]}"), "failed", error)

    return each(
        ready,
        submit,
        failed,
        concurrency=concurrency,
        on_outcome=on_outcome,
        gate=RateLimitGate(cancelled),
    )


def _checked(jobs: Sequence[Job], strict: bool) -> list[tuple[str, str]]:
    """Return (name, YAML) of every job.

    Raises:
        ProtocolError: A job breaks the protocol.
        OpenPaiError: Two have one name.
    """
    ready: dict[str, str] = {}
    for job in jobs:
        job.validate(strict=strict)
        name = str(job.name)
        if name in ready:
            raise OpenPaiError(f"Two of the jobs are called '{name}'.", "Give each its own name.")
        ready[name] = job.to_yaml()
    return list(ready.items())


def _existing(cluster: Cluster, names: Sequence[str]) -> dict[str, JobSummary]:
    """Return those of the user's jobs that have one of the names."""
    wanted = set(names)
    # The server's keyword has the wildcards % and _, so it lets more through.
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(names), max(names)))
    mine = cluster.jobs(user=cluster.user, keyword="".join(a for a, _ in pairs) or None)
    return {job.name: job for job in mine if job.name in wanted}


def _submit_one(cluster: Cluster, remote: RemoteJob, text: str, before: JobSummary | None) -> str:
    from openpai.core.client.submit import has_config, submit_once

    if before is None:
        try:
            submit_once(cluster.session, remote.key, text, seconds=_PATIENCE_SECONDS)
            return "submitted"
        except ConflictError:
            pass  # the list may lag behind: look what the job is
    if has_config(cluster.session, remote.key, text):
        return "existed"
    raise ConflictError(
        f"Another job is called '{remote.key}'.",
        status=409,
        code="ConflictJobError",
        hint="Choose another name for the sweep.",
    )


def stop_all(
    cluster: Cluster,
    *,
    prefix: str = "",
    tag: str = "",
    concurrency: int = _CONCURRENCY,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Ask the cluster to stop those of the user's jobs that go on and fit.

    Args:
        cluster: Where they are.
        prefix: What their names begin with.
        tag: A tag that they have; with a prefix, both must fit.
        concurrency: How many calls run at the same time.
        on_outcome: Called with each outcome as it comes, in the caller's thread.

    Raises:
        OpenPaiError: Neither a prefix nor a tag was given.
        ApiError: The list of jobs was refused.
        ConnectionFailed: The list of jobs could not be had.
    """
    if not prefix and not tag:
        raise OpenPaiError("Which jobs are to be stopped?", "Name a prefix or a tag.")
    found = cluster.jobs(
        user=cluster.user, state=ACTIVE_STATES, keyword=prefix or None, tags=tag or None
    )
    remotes = [
        RemoteJob(cluster, f"{job.username}~{job.name}")
        for job in found
        if job.name.startswith(prefix)
    ]

    def stop(remote: RemoteJob, gate: RateLimitGate) -> Outcome:
        gate.run(remote.stop)
        return Outcome(remote, "stopped")

    def failed(remote: RemoteJob, error: OpenPaiError) -> Outcome:
        return Outcome(remote, "failed", error)

    return each(remotes, stop, failed, concurrency=concurrency, on_outcome=on_outcome)


def each(
    items: Sequence[T],
    do: Callable[[T, RateLimitGate], Outcome],
    failed: Callable[[T, OpenPaiError], Outcome],
    *,
    concurrency: int = _CONCURRENCY,
    on_outcome: Callable[[Outcome], None] | None = None,
    gate: RateLimitGate | None = None,
) -> list[Outcome]:
    """Do something with every item, several at a time; return the outcomes in the items' order.

    Args:
        items: What to do it with.
        do: Makes each of its calls to the cluster through the gate, and returns the outcome.
        failed: Makes the outcome of an item that raised an error.
        concurrency: How many run at the same time.
        on_outcome: Called with each outcome as it comes, in the caller's thread.
        gate: What the calls go through; ``None``: one of their own.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    gate = gate or RateLimitGate()

    def run(item: T) -> Outcome:
        try:
            return do(item, gate)
        except OpenPaiError as error:
            return failed(item, error)

    with ThreadPoolExecutor(max(1, min(concurrency, len(items)))) as pool:
        futures = [pool.submit(run, item) for item in items]
        try:
            for future in as_completed(futures):
                if on_outcome is not None:
                    on_outcome(future.result())
        except BaseException:  # an interrupt, too: end soon, with nothing half done
            gate.close()
            for future in futures:
                future.cancel()
            raise
    return [future.result() for future in futures]
