"""The command ``opai sweep status``."""

from __future__ import annotations

from openpai.cli.commands.sweep._sweep import open_sweep, sweep_argument
from openpai.cli.framework import CliApp, command, pass_app, state_option
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "status",
]


@command(
    "status",
    help="""
    Each point is listed once, with its latest job. Points that were not submitted have no
    state.
    """,
    examples="""
    opai sweep status train
    opai sweep status train --state FAILED -o name | xargs -n 1 opai job status
    """,
)
@sweep_argument
@state_option
@cluster_option
@format_option
@pass_app
def status(
    app: CliApp, /, *, sweep: str, states: tuple[str, ...], alias: str | None, format_: str
) -> None:
    from openpai.cli.commands.sweep._sweep import JOB_COLUMNS, counted, job_row

    found = open_sweep(app, sweep, alias)
    jobs = found.jobs()
    shown = [job for job in jobs if not states or job.state in states]
    if format_ == "name":  # jobs that were not submitted have no name for other commands
        shown = [job for job in shown if job.state is not None]
    columns = [("JOB", "job")] if format_ == "name" else JOB_COLUMNS
    app.emit([job_row(found, job) for job in shown], columns=columns, format=format_)
    if format_ == "table":
        app.note(f"{found.name}: {counted(jobs)}.")
