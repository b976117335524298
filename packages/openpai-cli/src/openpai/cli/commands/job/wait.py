"""``opai job wait``."""

from __future__ import annotations

import time

import click

from openpai.cli.framework import CliApp, command, jobs_argument, pass_app, timeout_option
from openpai.core.cli import cluster_option, format_option

COLUMNS = [("JOB", "job"), ("STATE", "state"), ("EXIT CODE", "exitCode"), ("DURATION", "duration")]


@command(
    "wait",
    help="""
    The exit code is the first non-zero exit code of the jobs, in the given order: 143 for a
    stopped job; 124 if the time ran out, 125 if the connection was lost.
    """,
    examples="""
    opai job wait train && echo "trained"
    opai job wait train-1 train-2 --timeout 2h
    """,
)
@jobs_argument
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
    jobs: tuple[str, ...],
    timeout: float | None,
    alias: str | None,
    format_: str,
) -> None:
    from openpai.cli.commands.job._job import job_row
    from openpai.cli.framework import end_sentence, exit_code_of, following_job

    cluster = app.cluster(alias)
    remotes = [cluster.job(name) for name in jobs]
    for remote in remotes:
        remote.status()  # a name that does not exist is reported before any waiting
    deadline = None if timeout is None else time.monotonic() + timeout
    details = []
    for remote in remotes:
        left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
        with following_job(app.console, remote):
            details.append(remote.wait(timeout=left))
        app.note(end_sentence(details[-1]))
    rows = [{**job_row(detail), "exitCode": exit_code_of(detail)} for detail in details]
    if format_ != "table":
        app.emit(rows, columns=COLUMNS, format=format_)
    context.exit(next((row["exitCode"] for row in rows if row["exitCode"]), 0))
