"""``opai sweep list|status|wait|stop|resume|rerun``: many jobs as one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from openpai.cli import _complete
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import (
    cluster_option,
    format_option,
    parallel_option,
    state_option,
    timeout_option,
    yes_option,
)

if TYPE_CHECKING:
    from openpai.core.client.batch import Outcome
    from openpai.core.sweeps.sweep import Sweep, SweepJob

LIST_COLUMNS = [
    ("SWEEP", "sweep"),
    ("JOBS", "jobs"),
    ("NOT SENT", "notSent"),
    ("WAITING", "waiting"),
    ("RUNNING", "running"),
    ("SUCCEEDED", "succeeded"),
    ("FAILED", "failed"),
    ("STOPPED", "stopped"),
]
STATES = ("WAITING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "UNKNOWN")
END_STATES = click.Choice(("FAILED", "STOPPED", "SUCCEEDED"), case_sensitive=False)

sweep_argument = click.argument("sweep", shell_complete=_complete.sweeps)


def open_sweep(app: CliApp, name: str, alias: str | None) -> Sweep:
    """Return the sweep of this name."""
    from openpai.core.sweeps.sweep import Sweep

    return Sweep(app.cluster(alias), name)


@command("list", examples="opai sweep list\nopai sweep list -o json")
@cluster_option
@format_option
@pass_app
def list_sweeps(app: CliApp, alias: str | None, format_: str) -> None:
    """List your sweeps and how far they are.

    These are the sweeps that this machine submitted, and those whose jobs the cluster still has.
    """
    from openpai.core.sweeps.sweep import all_sweeps

    rows = [_sweep_row(name, jobs) for name, jobs in all_sweeps(app.cluster(alias)).items()]
    app.emit(rows, columns=LIST_COLUMNS, format=format_)
    if not rows and format_ == "table":
        app.note("No sweeps.")


def _sweep_row(name: str, jobs: list[SweepJob]) -> dict[str, Any]:
    states = [job.state for job in jobs]
    counts = {state.lower(): states.count(state) for state in STATES}
    return {"sweep": name, "jobs": len(jobs), "notSent": states.count(None), **counts}


@command(
    "status",
    examples="""
    opai sweep status train
    opai sweep status train --state FAILED -o name | xargs -n 1 opai job status
    """,
)
@sweep_argument
@state_option
@cluster_option
@format_option
@pass_app
def status(
    app: CliApp, /, *, sweep: str, states: tuple[str, ...], alias: str | None, format_: str
) -> None:
    """List the jobs of a sweep.

    Each point is there once, with its latest job. What was not submitted yet has no state.
    """
    from openpai.cli._sweeps import JOB_COLUMNS, counted, job_row

    found = open_sweep(app, sweep, alias)
    jobs = found.jobs()
    shown = [job for job in jobs if not states or job.state in states]
    if format_ == "name":  # what was not submitted is no job that another command could take
        shown = [job for job in shown if job.state is not None]
    columns = [("JOB", "job")] if format_ == "name" else JOB_COLUMNS
    app.emit([job_row(found, job) for job in shown], columns=columns, format=format_)
    if format_ == "table":
        app.note(f"{found.name}: {counted(jobs)}.")


@command("wait", examples="opai sweep wait train && opai sweep results train")
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
    """Wait until the jobs of a sweep have ended.

    The exit code is the first that is not 0 of the jobs' own, in the order of the points: 143 for a
    stopped job; 124 if the time ran out, 125 if the cluster was lost from sight.
    """
    from openpai.cli._jobs import exit_code_of
    from openpai.cli._sweeps import JOB_COLUMNS, counted, job_row, watching

    found = open_sweep(app, sweep, alias)
    found.jobs()  # a name that does not exist is told before any waiting
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


@command("stop", examples="opai sweep stop train\nopai sweep stop train --yes")
@sweep_argument
@yes_option
@cluster_option
@format_option
@click.pass_context
@pass_app
def stop(
    app: CliApp,
    context: click.Context,
    /,
    *,
    sweep: str,
    yes: bool,
    alias: str | None,
    format_: str,
) -> None:
    """Stop all jobs of a sweep that go on, and submit no more of it.

    'opai sweep resume' submits the rest after all; 'opai sweep rerun --state STOPPED' runs again
    what was stopped.
    """
    found = open_sweep(app, sweep, alias)
    going = [job for job in found.jobs() if job.goes_on or job.state is None]
    if going and not yes and not app.confirm(f"Stop these {len(going)} jobs of '{found.name}'?"):
        raise UsageProblem("Nothing was stopped.", "Say yes, or give --yes.")
    _report(app, context, map(_outcome, found.stop()), format_)
    if not going:
        app.note(f"No job of '{found.name}' goes on.")


@command("resume", examples="opai sweep resume train\nopai sweep resume train --max-parallel 8")
@sweep_argument
@parallel_option
@cluster_option
@format_option
@click.pass_context
@pass_app
def resume(
    app: CliApp,
    context: click.Context,
    /,
    *,
    sweep: str,
    max_parallel: int | None,
    alias: str | None,
    format_: str,
) -> None:
    """Submit what is left of a sweep that was broken off.

    It goes on where the cluster says that it is: nothing is submitted twice. The job and its code
    are those that the sweep was begun with.
    """
    from openpai.cli._sweeps import send

    found = open_sweep(app, sweep, alias)
    if max_parallel:
        found.bound(max_parallel)
    total = len(found.jobs())
    rows = send(app, found, total, lambda count: found.submit(on_outcome=count))
    _report(app, context, rows, format_)


@command(
    "rerun",
    examples="""
    opai sweep rerun train
    opai sweep rerun train --state FAILED --state STOPPED --dry-run
    """,
)
@sweep_argument
@click.option(
    "--state",
    "states",
    multiple=True,
    type=END_STATES,
    help="What to run again.  [default: FAILED]",
)
@parallel_option
@click.option("--dry-run", is_flag=True, help="Say which jobs there would be, send nothing.")
@cluster_option
@format_option
@click.pass_context
@pass_app
def rerun(
    app: CliApp,
    context: click.Context,
    /,
    *,
    sweep: str,
    states: tuple[str, ...],
    max_parallel: int | None,
    dry_run: bool,
    alias: str | None,
    format_: str,
) -> None:
    """Run again what failed of a sweep, and only that.

    The same points get jobs of new names (…_try2); results and waiting count the latest of each.
    """
    from openpai.cli._sweeps import send
    from openpai.core.sweeps.parameters import try_name

    found = open_sweep(app, sweep, alias)
    wanted = states or ("FAILED",)
    again = found.to_rerun(wanted)
    if not again:
        app.note(f"No job of '{found.name}' is {' or '.join(wanted)}.")
    names = [try_name(job.first, job.number + 1) for job in again]
    rows = [{"job": name, "status": "not sent", "error": None} for name in names]
    if again and not dry_run:

        def act(count: Callable[[Outcome], None]) -> list[Outcome]:
            return found.rerun(wanted, max_parallel=max_parallel, on_outcome=count)

        rows = send(app, found, len(again), act)
    _report(app, context, rows, format_)


def _outcome(outcome: Any) -> dict[str, Any]:
    from openpai.cli._sweeps import outcome_row

    return outcome_row(outcome)


def _report(app: CliApp, context: click.Context, rows: Any, format_: str) -> None:
    """Write what became of each job; 1 if anything failed."""
    from openpai.cli._sweeps import OUTCOME_COLUMNS

    rows = list(rows)
    app.emit(rows, columns=OUTCOME_COLUMNS, format=format_)
    if any(row["status"] == "failed" for row in rows):
        context.exit(1)
