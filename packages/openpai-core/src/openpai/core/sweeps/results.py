"""One row for each job of a sweep: what it was given, how it ended, how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.client.remote_job import RemoteJob

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.rest.models import JobSummary

__all__ = ["Result", "results", "results_of"]


@dataclass(frozen=True)
class Result:
    """One job of a sweep.

    Attributes:
        name: The job's name.
        state: The job's state now.
        exit_code: The user's own exit code (else the platform's); ``None`` while the job goes on.
        parameters: The parameters of its description.
        submitted: When it was submitted.
        seconds: From its first start to its end; ``None`` before.
        retries: How often it was started anew.
        tags: Its tags.
    """

    name: str
    state: str
    exit_code: int | None
    parameters: Mapping[str, Any]
    submitted: datetime | None
    seconds: float | None
    retries: int
    tags: tuple[str, ...] = field(default=())


def results(
    cluster: Cluster, *, prefix: str = "", tag: str = "", concurrency: int = 8
) -> list[Result]:
    """Return one row for each of the user's jobs that fit, in the order of their names.

    Args:
        cluster: Where the jobs are.
        prefix: What their names begin with.
        tag: A tag that they have; with a prefix, both must fit.
        concurrency: How many jobs are asked about at the same time.

    Raises:
        OpenPaiError: Neither a prefix nor a tag was given.
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    if not prefix and not tag:
        raise OpenPaiError("Which jobs are to be shown?", "Name a prefix or a tag.")
    user = cluster.user
    found = cluster.jobs(user=user, keyword=prefix or None, tags=tag or None)
    mine = sorted((j for j in found if j.name.startswith(prefix)), key=lambda job: job.name)
    return results_of(cluster, mine, concurrency=concurrency)


def results_of(
    cluster: Cluster, jobs: Iterable[JobSummary], *, concurrency: int = 8
) -> list[Result]:
    """Return one row for each of these jobs, in their order.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max(1, concurrency)) as pool:
        return list(pool.map(lambda job: _result(cluster, job), jobs))


def _result(cluster: Cluster, job: JobSummary) -> Result:
    remote = RemoteJob(cluster, f"{job.username}~{job.name}")
    began, ended = job.launched_time, job.completed_time
    parameters = remote.config().document.get("parameters")
    return Result(
        name=job.name,
        state=job.state,
        # The list has the platform's code only; that of a success is the user's, too.
        exit_code=remote.exit_code() if job.app_exit_code else job.app_exit_code,
        parameters=parameters if isinstance(parameters, dict) else {},
        submitted=job.submission_time,
        seconds=(ended - began).total_seconds() if began and ended else None,
        retries=job.retries,
        tags=tuple(job.tags),
    )
