"""``opai job wait``."""

from __future__ import annotations

import time

import click

from openpai.cli.framework import (
    CliApp,
    cluster_option,
    command,
    format_option,
    jobs_argument,
    pass_app,
    timeout_option,
)

COLUMNS = [("JOB", "job"), ("STATE", "state"), ("EXIT CODE", "exitCode"), ("DURATION", "duration")]


@command(
    "wait",
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
    """Wait until jobs have ended.

    The exit code is the first that is not 0 of the jobs' own, in the order they are named: 143 for
    a stopped job; 124 if the time ran out, 125 if a job was lost from sight.
    """
    from openpai.cli.commands.job._job import job_row
    from openpai.cli.framework import exit_code_of, how_it_ended, in_sight

    cluster = app.cluster(alias)
    remotes = [cluster.job(name) for name in jobs]
    for remote in remotes:
        remote.status()  # a name that does not exist is told before any waiting
    deadline = None if timeout is None else time.monotonic() + timeout
    details = []
    for remote in remotes:
        left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
        with in_sight(app, remote):
            details.append(remote.wait(timeout=left))
        app.note(how_it_ended(details[-1]))
    rows = [{**job_row(detail), "exitCode": exit_code_of(detail)} for detail in details]
    if format_ != "table":
        app.emit(rows, columns=COLUMNS, format=format_)
    context.exit(next((row["exitCode"] for row in rows if row["exitCode"]), 0))
