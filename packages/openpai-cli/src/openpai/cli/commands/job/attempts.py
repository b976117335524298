"""``opai job attempts``: every start of a job, and why it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option, job_argument

if TYPE_CHECKING:
    from openpai.core.rest import JobDetail

COLUMNS = [
    ("ATTEMPT", "attempt"),
    ("STATE", "state"),
    ("EXIT CODE", "exitCode"),
    ("STARTED", "launchedTime"),
    ("DURATION", "duration"),
    ("REASON", "reason"),
]


@command(
    "attempts",
    help="""
    A job with --retries is started again when it fails. 'job tasks --attempt N' lists the tasks
    of an attempt, 'job logs --attempt N' prints their logs.
    """,
    examples="opai job attempts train\nopai job attempts train -o json",
)
@job_argument
@cluster_option
@format_option
@pass_app
def attempts(app: CliApp, job: str, alias: str | None, format_: str) -> None:
    remote = app.cluster(alias).job(job)
    rows = [_row(detail) for detail in remote.attempts() if detail.attempt_id is not None]
    app.emit(rows, columns=COLUMNS, format=format_)
    if not rows and format_ == "table":
        app.note(f"{remote.key} has not been started yet.")


def _row(detail: JobDetail) -> dict[str, Any]:
    from openpai.cli.framework import running_time

    began, ended = detail.app_launched_time, detail.app_completed_time
    spec = detail.app_exit_spec
    return {
        "attempt": detail.attempt_id,
        "state": detail.attempt_state,
        # PAI returns the user's own code only for a job that has ended.
        "exitCode": detail.exit_code if detail.ended or not ended else detail.app_exit_code,
        "launchedTime": began,
        "completedTime": ended,
        "duration": running_time(began, ended),
        "reason": str(spec.get("phrase") or "") or None if ended else None,
    }
