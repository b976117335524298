"""``opai job stop``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import cluster_option, jobs_argument, yes_option

if TYPE_CHECKING:
    from openpai.core.cluster import Cluster
    from openpai.core.remote_job import RemoteJob

ACTIVE = ("WAITING", "RUNNING", "UNKNOWN")


@command(
    "stop",
    examples="""
    opai job stop train
    opai job stop 'sweep_*' --yes
    opai job list --state WAITING -o name | xargs opai job stop
    """,
)
@jobs_argument
@click.option("--wait", is_flag=True, help="Wait until they have stopped.")
@yes_option
@cluster_option
@click.pass_context
@pass_app
def stop(
    app: CliApp,
    context: click.Context,
    /,
    *,
    jobs: tuple[str, ...],
    wait: bool,
    yes: bool,
    alias: str | None,
) -> None:
    """Stop jobs.

    A name with * or ? means all of your jobs that match and have not ended; they are listed, and
    stopped after a yes. A job that has ended is left as it is. Where one job cannot be stopped the
    others still are, and the exit code tells of the first that could not.
    """
    from openpai.cli._jobs import how_it_ended, in_sight

    cluster = app.cluster(alias)
    found = _expand(app, cluster, jobs, yes)
    codes = [_stop(app, job) for job in found]
    if wait:
        for job, code in zip(found, codes, strict=True):
            if not code:
                with in_sight(app, job):
                    app.note(how_it_ended(job.wait()))
    context.exit(next(filter(None, codes), 0))


def _expand(app: CliApp, cluster: Cluster, names: tuple[str, ...], yes: bool) -> list[RemoteJob]:
    """Return the jobs that are named, patterns expanded, each once."""
    patterns = [name for name in names if any(c in name for c in "*?[")]
    matches = _matching(cluster, patterns) if patterns else []
    if matches and not yes:
        for job in matches:
            app.note(f"  {job.key}")
        if not app.confirm(f"Stop these {len(matches)}?"):
            raise UsageProblem("Nothing was stopped.", "Say yes, or give --yes.")
    if patterns and not matches:
        app.note(f"No job that goes on matches {' '.join(patterns)}.")
    named = [cluster.job(name) for name in names if name not in patterns]
    return list({job.key: job for job in [*named, *matches]}.values())


def _matching(cluster: Cluster, patterns: list[str]) -> list[RemoteJob]:
    from fnmatch import fnmatchcase

    mine = cluster.jobs(user=cluster.user, state=ACTIVE)
    return [
        cluster.job(f"{job.username}~{job.name}")
        for job in mine
        if any(fnmatchcase(job.name, pattern) for pattern in patterns)
    ]


def _stop(app: CliApp, job: RemoteJob) -> int:
    """Stop one job; say what happened and return the exit code for it."""
    from openpai.cli._errors import explain
    from openpai.core.errors import OpenPaiError

    try:
        detail = job.status()
        if detail.ended:
            app.note(f"{job.key} had ended: {detail.state}.")
        else:
            job.stop()
            app.note(f"{job.key} is being stopped.")
    except OpenPaiError as error:
        failure = explain(error)
        for line in failure.lines(app.console.paint):
            app.note(line)
        return failure.exit_code
    return 0
