"""The command ``opai job tasks``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option, job_argument

__all__ = [
    "tasks",
]


@command(
    "tasks",
    help="The keys in JSON are those of the tasks in 'job status'.",
    examples="opai job tasks train\nopai job tasks train --attempt 0 -o json",
)
@job_argument
@click.option(
    "--attempt",
    type=click.IntRange(min=0),
    metavar="N",
    help="Attempt to show.  [default: the latest]",
)
@cluster_option
@format_option
@pass_app
def tasks(
    app: CliApp, /, *, job: str, attempt: int | None, alias: str | None, format_: str
) -> None:
    from openpai.cli.commands.job.status import TASK_COLUMNS, task_row

    detail = app.cluster(alias).job(job).status(attempt=attempt)
    rows = [task_row(role, task) for role, task in detail.tasks()]
    app.emit(rows, columns=TASK_COLUMNS, format=format_)
    if not rows and format_ == "table":
        app.note(f"{detail.key} is {detail.state} and has no tasks yet.")
