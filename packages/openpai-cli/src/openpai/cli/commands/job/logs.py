"""``opai job logs``."""

from __future__ import annotations

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._options import cluster_option, job_argument


@command(
    "logs",
    examples="""
    opai job logs train -f
    opai job logs train --role worker --index 3 --stream stderr --tail 100
    """,
)
@job_argument
@click.option("--role", help="Only the tasks of this task role.")
@click.option("--index", type=click.IntRange(min=0), help="Only the tasks with this index.")
@click.option("--stream", default="all", help="all (default), stdout, stderr, or another log.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
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
    stream: str,
    follow: bool,
    tail: int | None,
    alias: str | None,
) -> None:
    """Print or follow what a job's tasks wrote.

    Where there is more than one task, each line begins with its task. With --follow the exit code
    is the job's own; without it, 0.
    """
    from openpai.cli._follow import follow_to_end, write_lines

    remote = app.cluster(alias).job(job)
    remote.status()  # a name that does not exist is an error here, not a lost job
    if follow:
        context.exit(follow_to_end(app, remote, role, index, stream, tail=tail))
    write_lines(app, remote, remote.log_lines(role, index, stream, tail=tail))
