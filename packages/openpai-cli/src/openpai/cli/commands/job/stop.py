"""``opai job stop``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app, state_option, yes_option
from openpai.core.cli import cluster_option, complete_jobs
from openpai.core.states import ACTIVE_STATES

if TYPE_CHECKING:
    from openpai.core.client import Cluster, RemoteJob
    from openpai.core.rest import JobSummary


@command(
    "stop",
    help="""
    A pattern (* or ?), --prefix, --tag and --state select all of your active jobs that match
    (of several options, jobs that match all); they are listed and stopped after confirmation.
    Jobs that have ended are left as they are. If one job cannot be stopped the others still
    are, and the exit code is that of the first failure.
    """,
    examples="""
    opai job stop train
    opai job stop 'sweep_*' --yes
    opai job stop --tag first-try --state WAITING
    opai job list --state WAITING -o name | xargs opai job stop --yes
    """,
)
@click.argument("jobs", nargs=-1, shell_complete=complete_jobs)
@click.option(
    "--prefix", default="", metavar="TEXT", help="Also stop your jobs with this name prefix."
)
@click.option("--tag", default="", help="Also stop your jobs with this tag.")
@state_option
@click.option("--wait", is_flag=True, help="Wait until the jobs have stopped.")
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
    prefix: str,
    tag: str,
    states: tuple[str, ...],
    wait: bool,
    yes: bool,
    alias: str | None,
) -> None:
    from openpai.cli.framework import end_sentence, following_job

    cluster = app.cluster(alias)
    found = _expand(app, cluster, jobs, Filter(prefix, tag, states), yes)
    codes = [_stop(app, job) for job in found]
    if wait:
        for job, code in zip(found, codes, strict=True):
            if not code:
                with following_job(app.console, job):
                    app.note(end_sentence(job.wait()))
    context.exit(next(filter(None, codes), 0))


class Filter(NamedTuple):
    """Return the selected jobs of the user besides the named ones."""

    prefix: str
    tag: str
    states: tuple[str, ...]

    def fits(self, job: JobSummary) -> bool:
        """Whether a job has all that is asked for; none where nothing is asked for."""
        return any(self) and (
            job.name.startswith(self.prefix)
            and (not self.tag or self.tag in job.tags)
            and (not self.states or job.state in self.states)
        )


def _expand(
    app: CliApp, cluster: Cluster, names: tuple[str, ...], wanted: Filter, yes: bool
) -> list[RemoteJob]:
    """Return the jobs that are meant, each once; those that are not named after a yes."""
    patterns = [name for name in names if any(c in name for c in "*?[")]
    if not names and not any(wanted):
        raise UsageError("No jobs selected.", "Name them, or use --prefix, --tag or --state.")
    matches = _matching(cluster, patterns, wanted) if patterns or any(wanted) else []
    if matches and not yes:
        for job in matches:
            app.note(f"  {job.username}~{job.name}  {job.state}")
        if not app.confirm(f"Stop these {len(matches)}?"):
            raise UsageError("Nothing was stopped.", "Answer yes, or use --yes.")
    if (patterns or any(wanted)) and not matches:
        app.note("No active job matches.")
    named = [cluster.job(name) for name in names if name not in patterns]
    found = [cluster.job(f"{job.username}~{job.name}") for job in matches]
    return list({job.key: job for job in [*named, *found]}.values())


def _matching(cluster: Cluster, patterns: list[str], wanted: Filter) -> list[JobSummary]:
    from fnmatch import fnmatchcase

    return [
        job
        for job in cluster.jobs(user=cluster.user, state=ACTIVE_STATES)
        if wanted.fits(job) or any(fnmatchcase(job.name, pattern) for pattern in patterns)
    ]


def _stop(app: CliApp, job: RemoteJob) -> int:
    """Stop one job; say what happened and return the exit code for it."""
    from openpai.cli.framework import report_for
    from openpai.core.errors import OpenPaiError

    try:
        detail = job.status()
        if detail.ended:
            app.note(f"{job.key} has already ended: {detail.state}.")
        else:
            job.stop()
            app.note(f"{job.key} is being stopped.")
    except OpenPaiError as error:
        failure = report_for(error)
        for line in failure.lines(app.console.paint):
            app.note(line)
        return failure.exit_code
    return 0
