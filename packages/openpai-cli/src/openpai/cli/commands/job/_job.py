"""Rows, exit codes and following, shared by job commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.cli.framework import running_time

if TYPE_CHECKING:
    from openpai.core.rest import JobDetail, JobSummary

__all__ = [
    "job_row",
]


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
