"""What job commands share: rows for jobs, exit codes, following to the end."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from openpai.cli._times import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpai.cli._app import CliApp
    from openpai.core.client.remote_job import RemoteJob
    from openpai.core.rest.models import JobDetail, JobSummary

__all__ = [
    "EXIT_STOPPED",
    "exit_code_of",
    "how_it_ended",
    "in_sight",
    "job_row",
]

EXIT_STOPPED = 143


def job_row(job: JobSummary | JobDetail) -> dict[str, Any]:
    """Return what machines read of a job; the keys are documented in docs/cli.md."""
    return {
        "job": f"{job.username}~{job.name}",
        "name": job.name,
        "username": job.username,
        "state": job.state,
        "virtualCluster": job.virtual_cluster,
        "tags": job.tags,
        "retries": job.retries,
        "submissionTime": job.submission_time,
        "launchedTime": job.launched_time,
        "completedTime": job.completed_time,
        "duration": running_time(job.launched_time, job.completed_time),
        "appExitCode": job.app_exit_code,
    }


def running_time(launched: datetime | None, completed: datetime | None) -> timedelta | None:
    """Return how long something ran, or has been running."""
    if launched is None:
        return None
    return max((completed or datetime.now(timezone.utc)) - launched, timedelta(0))


def exit_code_of(detail: JobDetail) -> int:
    """Return the exit code for a command that followed this job to its end.

    0 for SUCCEEDED, 143 for STOPPED, else the user's own code; codes that no process can have,
    as the platform's negative ones, become 1.
    """
    if detail.state == "SUCCEEDED":
        return 0
    if detail.state == "STOPPED":
        return EXIT_STOPPED
    code = detail.exit_code
    return code if code is not None and 0 < code < 256 else 1


def how_it_ended(detail: JobDetail) -> str:
    """Return a sentence: ``alice~train FAILED with exit code 3 after 2m 5s.``."""
    span = running_time(detail.launched_time, detail.completed_time)
    after = f" after {duration(span)}" if span is not None else " before it began"
    code = f" with exit code {detail.exit_code}" if detail.state == "FAILED" else ""
    return f"{detail.key} {detail.state}{code}{after}."


@contextmanager
def in_sight(app: CliApp, job: RemoteJob) -> Iterator[None]:
    """Guard the block that follows a job; see :func:`~openpai.cli._ends.followed`."""
    from openpai.cli._ends import followed

    left, look = f"You left; {job.key} goes on.", f"opai job status {job.key}"
    with followed(job.key, look, left, lambda: ways_back(app, job)):
        yield


def ways_back(app: CliApp, job: RemoteJob) -> Iterator[str]:
    """Yield the next commands for a job."""
    which = f"-a {job.cluster.alias} {job.key}" if job.cluster.alias else job.key
    for what, words in (("follow", "logs -f"), ("status", "status"), ("stop", "stop")):
        yield f"  {app.console.paint(f'{what:<7}', 'dim')} opai job {words} {which}"
