"""``opai job list``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.framework import CliApp, command, pass_app, state_option
from openpai.cli.ui import watch
from openpai.core.cli import cluster_option, format_option

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.rest import JobSummary

EVERYBODY = "__all__"
COLUMNS = [
    ("NAME", "name"),
    ("STATE", "state"),
    ("SUBMITTED", "submissionTime"),
    ("DURATION", "duration"),
    ("TASKS", "tasks"),
    ("GPUS", "gpus"),
    ("VC", "virtualCluster"),
]
USER_COLUMN = ("USER", "username")
_PAGE = 50


@command(
    "list",
    help="On a terminal the 50 newest jobs are shown unless --limit is given; scripts get all.",
    examples="""
    opai job list
    opai job list --state RUNNING --all-users
    opai job list --tag sweep-7 -o name | xargs opai job stop
    """,
)
@click.option("--user", metavar="NAME", help="List the jobs of this user.  [default: you]")
@click.option("--all-users", "-A", is_flag=True, help="List the jobs of all users.")
@state_option
@click.option(
    "--vc",
    "--virtual-cluster",
    "vcs",
    multiple=True,
    help="Only jobs of this virtual cluster (repeatable).",
)
@click.option("--tag", "tags", multiple=True, help="Only jobs with this tag (repeatable).")
@click.option("--keyword", help="Only jobs whose name, user or virtual cluster contains this text.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="Maximum number of jobs (0 = no limit).",
)
@click.option("-w", "--watch", "watching", is_flag=True, help="Refresh the list until Ctrl-C.")
@cluster_option
@format_option
@pass_app
def list_jobs(
    app: CliApp,
    /,
    *,
    alias: str | None,
    format_: str,
    limit: int | None,
    watching: bool,
    **filters: Any,
) -> None:
    cluster = app.cluster(alias)
    if watching:
        watch(app, lambda height: _render(app, cluster, limit or height, filters))
        return
    screen = limit is None and format_ == "table" and app.console.is_terminal
    most = _PAGE + 1 if screen else limit or None
    rows = [_row(job) for job in _jobs(cluster, most, **filters)]
    shown = rows[:_PAGE] if screen else rows
    app.emit(shown, columns=_columns(format_, cluster.user, rows), format=format_)
    if len(shown) < len(rows):
        app.note(f"Showing the {_PAGE} newest; use --limit N for more (0 = all).")
    if not rows and format_ == "table":
        app.note("No jobs.")


def _render(app: CliApp, cluster: Cluster, most: int, filters: dict[str, Any]) -> list[str]:
    from openpai.cli.ui import table_lines

    rows = [_row(job) for job in _jobs(cluster, most, **filters)]
    return table_lines(app.console, rows, _columns("table", cluster.user, rows)) or ["No jobs."]


def _columns(format_: str, me: str, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what a table shows; names are such that every command finds the job by them."""
    if format_ == "name":
        return [("JOB", "job")]
    only_mine = all(row["username"] == me for row in rows)
    return COLUMNS if only_mine else [COLUMNS[0], USER_COLUMN, *COLUMNS[1:]]


def _jobs(
    cluster: Cluster,
    limit: int | None,
    *,
    user: str | None,
    all_users: bool,
    states: tuple[str, ...],
    vcs: tuple[str, ...],
    tags: tuple[str, ...],
    keyword: str | None,
) -> Iterator[JobSummary]:
    everybody = all_users or user == EVERYBODY
    return cluster.jobs(
        user=None if everybody else user or cluster.user,
        state=states or None,
        virtual_cluster=vcs or None,
        tags=tags or None,
        keyword=keyword,
        limit=limit,
    )


def _row(job: JobSummary) -> dict[str, Any]:
    from openpai.cli.commands.job._job import job_row

    return {**job_row(job), "tasks": job.total_task_number, "gpus": job.total_gpu_number}
