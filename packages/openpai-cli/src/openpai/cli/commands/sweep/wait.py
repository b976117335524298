"""The command ``opai sweep wait``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.sweep._sweep import open_sweep, sweep_argument
from openpai.cli.framework import CliApp, command, pass_app, timeout_option
from openpai.core.cli import cluster_option, format_option

if TYPE_CHECKING:
    from openpai.core.sweeps import Sweep, SweepJob

__all__ = [
    "wait",
]


@command(
    "wait",
    help="""
    The exit code is the first non-zero exit code of the jobs, in the order of the points: 143
    for a stopped job; 124 if the time ran out, 125 if the connection was lost.
    """,
    examples="opai sweep wait train && opai sweep results train",
)
@sweep_argument
@timeout_option
@cluster_option
@format_option
@click.pass_context
@pass_app
def wait(
    app: CliApp,
    context: click.Context,
    /,
    *,
    sweep: str,
    timeout: float | None,
    alias: str | None,
    format_: str,
) -> None:
    from openpai.cli.commands.sweep._sweep import JOB_COLUMNS, counted, job_row, watching
    from openpai.cli.framework import exit_code_of

    found = open_sweep(app, sweep, alias)
    found.jobs()  # a name that does not exist is reported before any waiting
    with watching(app, found) as seen:
        jobs = found.wait(timeout, on_change=seen)
        codes = {
            job.name: 0 if job.state == "SUCCEEDED" else exit_code_of(_detail(found, job))
            for job in jobs
            if job.state is not None
        }
    app.note(f"{found.name}: {counted(jobs)}.")
    if any(job.state is None for job in jobs):
        app.note(f"hint: Submit the rest: opai sweep resume {found.name}")
    if format_ != "table":
        rows = [{**job_row(found, job), "exitCode": codes.get(job.name)} for job in jobs]
        app.emit(rows, columns=[("JOB", "job"), *JOB_COLUMNS], format=format_)
    context.exit(next(filter(None, codes.values()), 0))


def _detail(sweep: Sweep, job: SweepJob) -> Any:
    return sweep.cluster.job(job.name).status()
