"""``opai job logs``."""

from __future__ import annotations

from datetime import datetime

import click

from openpai.cli.exceptions import UsageProblem
from openpai.cli.framework import CliApp, cluster_option, command, job_argument, moment, pass_app


@command(
    "logs",
    examples="""
    opai job logs train -f
    opai job logs train --role worker --index 3 --stream stderr --tail 100
    opai job logs train --since 10m
    """,
)
@job_argument
@click.option("--role", help="Only the tasks of this task role.")
@click.option("--index", type=click.IntRange(min=0), help="Only the tasks with this index.")
@click.option("--attempt", type=click.IntRange(min=0), metavar="N", help="An earlier attempt.")
@click.option("--stream", default="all", help="all (default), stdout, stderr, or another log.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@click.option("--since", type=moment, metavar="TIME", help="Only newer lines: 10m, or a date.")
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
    """Print or follow what a job's tasks wrote.

    Where there is more than one task, each line begins with its task. With --follow the exit code
    is the job's own; without it, 0.

    PAI keeps no times of lines. --since goes by the times that lines begin with (2026-01-31
    12:00:00, as Python's logging writes them; without a zone in UTC) and by when tasks began and
    ended. Where neither tells, a task's lines are all shown, and a warning says so.
    """
    from openpai.cli.commands.job._logs import follow_to_end, write_lines

    if follow and attempt is not None:
        raise UsageProblem("An earlier attempt has ended.", "Leave out --follow or --attempt.")
    remote = app.cluster(alias).job(job)
    remote.status()  # a name that does not exist is an error here, not a lost job
    if follow:
        context.exit(follow_to_end(app, remote, role, index, stream, tail=tail, since=since))
    lines = remote.log_lines(role, index, stream, tail=tail, since=since, attempt=attempt)
    write_lines(app, remote, lines)
