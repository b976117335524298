"""``opai job logs``."""

from __future__ import annotations

from datetime import datetime

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app, point_in_time
from openpai.core.cli import cluster_option, job_argument


@command(
    "logs",
    help="""
    If the job has several tasks, each line begins with its task. With --follow the exit code is
    the job's own; without it, 0.

    PAI stores no times of log lines. --since uses the times at the beginning of lines
    (2026-01-31 12:00:00, as Python's logging writes them; UTC without a time zone) and the
    times when tasks began and ended. Without either, all lines of a task are printed, with a
    warning.
    """,
    examples="""
    opai job logs train -f
    opai job logs train --role worker --index 3 --stream stderr --tail 100
    opai job logs train --since 10m
    """,
)
@job_argument
@click.option("--role", help="Only tasks of this task role.")
@click.option(
    "--index", type=click.IntRange(min=0), metavar="N", help="Only tasks with this index."
)
@click.option(
    "--attempt",
    type=click.IntRange(min=0),
    metavar="N",
    help="Attempt to show.  [default: the latest]",
)
@click.option(
    "--stream", default="all", help="Log to print: all, stdout, stderr or another.  [default: all]"
)
@click.option("-f", "--follow", is_flag=True, help="Follow the log until the job has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@click.option(
    "--since",
    type=point_in_time,
    metavar="TIME",
    help="Only lines newer than this: a duration (10m) or a date.",
)
@cluster_option
@click.pass_context
@pass_app
def logs(
    app: CliApp,
    context: click.Context,
    /,
    *,
    job: str,
    role: str | None,
    index: int | None,
    attempt: int | None,
    stream: str,
    follow: bool,
    tail: int | None,
    since: datetime | None,
    alias: str | None,
) -> None:
    from openpai.cli.commands.job._logs import follow_to_end, write_lines

    if follow and attempt is not None:
        raise UsageError(
            "An earlier attempt cannot be followed.", "Leave out --follow or --attempt."
        )
    remote = app.cluster(alias).job(job)
    remote.status()  # a name that does not exist is an error here, not a lost job
    if follow:
        context.exit(follow_to_end(app, remote, role, index, stream, tail=tail, since=since))
    lines = remote.log_lines(role, index, stream, tail=tail, since=since, attempt=attempt)
    write_lines(app, remote, lines)
