"""Submit or stop many jobs, several at a time, within the server's rate limits.

The server limits submissions per hour and requests per minute
(rest-server/src/config/rate-limit.js). Calls over a limit are repeated after its reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Callable, Iterable, Sequence

from openpai.core.client.remote_job import RemoteJob
from openpai.core.errors import ConflictError, OpenPaiError
from openpai.core.retry import RateLimitGate
from openpai.core.states import ACTIVE_STATES

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.protocol import Job
    from openpai.core.rest import JobSummary

__all__ = ["Outcome", "select_jobs", "stop_all", "stop_jobs", "submit_all"]

_CONCURRENCY = 16
_SUBMIT_SECONDS = 600.0


@dataclass(frozen=True)
class Outcome:
    """The outcome of one job.

    Attributes:
        remote: The job on the cluster.
        status: ``submitted``; ``existed`` with the same config; ``stopped``; or ``failed``.
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
        """Whether it succeeded."""
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

    Submitting an interrupted sweep again completes it.

    Args:
        cluster: The cluster.
        jobs: Jobs of different names.
        concurrency: Maximum number of concurrent calls.
        strict: Whether to refuse, too, what the server accepts and would fail later.
        tag: A tag for every job, or several.
        on_outcome: Called with each outcome as it comes, in the caller's thread.
        cancelled: Called while jobs wait for a rate limit; once it returns true, they fail.

    Returns:
        One outcome for each job, in the order of ``jobs``. After ten minutes without an answer, or
        with an invalid token, all that are left have failed.

    Raises:
        ProtocolError: A job breaks the protocol; nothing was sent.
        OpenPaiError: Two jobs have one name; nothing was sent.
        ApiError: The list of jobs was refused; nothing was sent.
        ConnectionFailed: The list of jobs could not be read; nothing was sent.
    """
    ready = _texts(cluster, jobs, strict)
    existing = _existing(cluster, list(ready)) if ready else {}
    tags = list(filter(None, [tag] if isinstance(tag, str) else tag))

    def submit(remote: RemoteJob, gate: RateLimitGate) -> str:
        before = existing.get(remote.name)
        text = ready[remote.name]
        status = gate.run(lambda: _submit_one(cluster, remote, text, before))
        for one in tags:
            if before is None or one not in before.tags:
                gate.run(partial(remote.add_tag, one))
        return status

    remotes = [RemoteJob(cluster, f"{cluster.user}~{name}") for name in ready]
    gate = RateLimitGate(cancelled)
    return _for_each(remotes, submit, gate, concurrency=concurrency, on_outcome=on_outcome)


def _texts(cluster: Cluster, jobs: Iterable[Job], strict: bool) -> dict[str, str]:
    """Return the YAML of every job by its name, prepared and validated.

    Raises:
        ProtocolError: A job breaks the protocol.
        OpenPaiError: Two have one name.
    """
    from openpai.core.client.prepare import prepare_text

    texts: dict[str, str] = {}
    for job in jobs:
        name, text = prepare_text(job, cluster, strict=strict)
        if name in texts:
            raise OpenPaiError(f"Two of the jobs are named '{name}'.", "Give each its own name.")
        texts[name] = text
    return texts


def _existing(cluster: Cluster, names: Sequence[str]) -> dict[str, JobSummary]:
    """Return the user's jobs with one of the names."""
    wanted = set(names)
    # In the server's keyword % and _ are wildcards, so that it may match more.
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(names), max(names)))
    mine = cluster.jobs(user=cluster.user, keyword="".join(a for a, _ in pairs) or None)
    return {job.name: job for job in mine if job.name in wanted}


def _submit_one(cluster: Cluster, remote: RemoteJob, text: str, before: JobSummary | None) -> str:
    from openpai.core.client.submit import has_config, name_taken, submit_once

    if before is None:
        try:
            submit_once(cluster.session, remote.key, text, seconds=_SUBMIT_SECONDS)
            return "submitted"
        except ConflictError:
            pass  # the list may lag behind
    if has_config(cluster.session, remote.key, text):
        return "existed"
    raise name_taken(remote.key, "Choose another name for the sweep.")


def select_jobs(
    cluster: Cluster, prefix: str, tag: str, state: Sequence[str] | None = None
) -> list[JobSummary]:
    """Return the user's jobs with a prefix, a tag, or both, newest first.

    Raises:
        OpenPaiError: Neither a prefix nor a tag was given.
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    if not prefix and not tag:
        raise OpenPaiError("No jobs are selected.", "Name a prefix or a tag.")
    found = cluster.jobs(user=cluster.user, state=state, keyword=prefix or None, tags=tag or None)
    return [job for job in found if job.name.startswith(prefix)]


def stop_all(
    cluster: Cluster,
    *,
    prefix: str = "",
    tag: str = "",
    concurrency: int = _CONCURRENCY,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Stop the user's active jobs that match.

    Args:
        cluster: The cluster.
        prefix: The prefix of their names.
        tag: A tag of them; with a prefix, both must match.
        concurrency: Maximum number of concurrent calls.
        on_outcome: Called with each outcome as it comes, in the caller's thread.

    Raises:
        OpenPaiError: Neither a prefix nor a tag was given.
        ApiError: The server refused the list of jobs.
        ConnectionFailed: The list of jobs could not be read.
    """
    found = select_jobs(cluster, prefix, tag, state=ACTIVE_STATES)
    remotes = [RemoteJob(cluster, f"{job.username}~{job.name}") for job in found]
    return stop_jobs(remotes, concurrency=concurrency, on_outcome=on_outcome)


def stop_jobs(
    remotes: Sequence[RemoteJob],
    *,
    concurrency: int = _CONCURRENCY,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Stop jobs, several at a time; see :func:`stop_all`."""

    def stop(remote: RemoteJob, gate: RateLimitGate) -> str:
        gate.run(remote.stop)
        return "stopped"

    gate = RateLimitGate()
    return _for_each(remotes, stop, gate, concurrency=concurrency, on_outcome=on_outcome)


def _for_each(
    remotes: Sequence[RemoteJob],
    call: Callable[[RemoteJob, RateLimitGate], str],
    gate: RateLimitGate,
    *,
    concurrency: int,
    on_outcome: Callable[[Outcome], None] | None,
) -> list[Outcome]:
    """Call a function with every job, several at a time; return the outcomes in the jobs' order.

    Args:
        remotes: The jobs.
        call: Makes its requests through the gate and returns the status.
        gate: The rate limit gate of all calls.
        concurrency: Maximum number of concurrent calls.
        on_outcome: Called with each outcome as it comes, in the caller's thread.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    def run(remote: RemoteJob) -> Outcome:
        try:
            return Outcome(remote, call(remote, gate))
        except OpenPaiError as error:
            return Outcome(remote, "failed", error)

    with ThreadPoolExecutor(max(1, min(concurrency, len(remotes)))) as pool:
        futures = [pool.submit(run, remote) for remote in remotes]
        try:
            for future in as_completed(futures):
                if on_outcome is not None:
                    on_outcome(future.result())
        except BaseException:  # an interrupt, too: start no further call
            gate.close()
            for future in futures:
                future.cancel()
            raise
    return [future.result() for future in futures]
