"""Rows, bounded submission and Ctrl-C, shared by sweep commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from openpai.core.cli import complete_sweeps
from openpai.core.protocol import instances

if TYPE_CHECKING:
    from openpai.cli.framework import CliApp
    from openpai.core.client import Outcome
    from openpai.core.protocol import Job
    from openpai.core.sweeps import Sweep, SweepJob

__all__ = [
    "END_STATES",
    "JOB_COLUMNS",
    "OUTCOME_COLUMNS",
    "counted",
    "job_row",
    "next_commands",
    "open_sweep",
    "outcome_row",
    "resource_summary",
    "send",
    "sweep_argument",
    "watching",
]

OUTCOME_COLUMNS = [("JOB", "job"), ("STATUS", "status"), ("ERROR", "error")]
JOB_COLUMNS = [
    ("NAME", "name"),
    ("STATE", "state"),
    ("TRY", "try"),
    ("SUBMITTED", "submissionTime"),
    ("DURATION", "duration"),
]
NOT_SENT = "not sent"


def job_row(sweep: Sweep, job: SweepJob) -> dict[str, Any]:
    """Return what machines read of the latest job of a point."""
    from openpai.cli.framework import running_time

    summary = job.summary
    return {
        "job": f"{sweep.cluster.user}~{job.name}",
        "name": job.name,
        "point": job.first,
        "try": job.number,
        "state": job.state,
        "parameters": None if job.parameters is None else dict(job.parameters),
        "submissionTime": summary.submission_time if summary else None,
        "duration": running_time(summary.launched_time, summary.completed_time)
        if summary
        else None,
    }


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """Return what machines read of what became of one job."""
    error = outcome.error.message if outcome.error else None
    return {"job": outcome.remote.key, "status": outcome.status, "error": error}


def counted(jobs: Iterable[SweepJob]) -> str:
    """Return ``12 SUCCEEDED, 3 FAILED, 2 not sent``."""
    counts = Counter(job.state or NOT_SENT for job in jobs)
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def resource_summary(jobs: list[Job], max_parallel: int | None) -> str:
    """Return how many jobs there are, with which GPUs and names."""
    count = len(jobs)
    gpus = sum(map(_gpus, jobs[0].document["taskRoles"].values()))
    kinds = _kinds(jobs[0])
    of_kind = f" ({', '.join(kinds)})" if kinds else ""
    at_once = min(count, max_parallel or count)
    bound = f", {at_once} at a time" if max_parallel else ""
    needs = (
        f"each with {_of(gpus)}{of_kind}: {_of(gpus * at_once)} at once at most"
        if gpus
        else "without GPUs"
    )
    names = jobs[0].name if count == 1 else f"{jobs[0].name} to {jobs[-1].name}"
    return f"{count} {'job' if count == 1 else 'jobs'}{bound}, {needs}. {names}."


def _of(gpus: int) -> str:
    return f"{gpus} GPU" if gpus == 1 else f"{gpus} GPUs"


def _gpus(role: dict[str, Any]) -> int:
    return int(role["resourcePerInstance"].get("gpu", 0)) * instances(role)


def _kinds(job: Job) -> list[str]:
    """Return the kinds of machines that a job names, where the cluster has HiveD."""
    hived = (job.document.get("extras") or {}).get("hivedScheduler") or {}
    roles = (hived.get("taskRoles") or {}).values()
    return sorted({str(role["skuType"]) for role in roles if role.get("skuType")})


def send(
    app: CliApp,
    sweep: Sweep,
    total: int,
    act: Callable[[Callable[[Outcome], None]], list[Outcome]],
) -> list[dict[str, Any]]:
    """Submit with progress; Ctrl-C prints what was submitted and how to resume.

    Args:
        app: The running ``opai``.
        sweep: Whose jobs these are.
        total: How many there are to submit.
        act: Submits, and calls back with each outcome.
    """
    from openpai.cli.exceptions import FollowInterrupted

    done: list[Outcome] = []
    try:
        with app.progress("Submitting", total) as advance:

            def count(outcome: Outcome) -> None:
                done.append(outcome)
                advance(1)

            outcomes = act(count)
    except KeyboardInterrupt:
        message = f"Interrupted; {len(done)} of {total} jobs were submitted and are still running."
        raise FollowInterrupted(message, next_commands(app, sweep)) from None
    return [outcome_row(outcome) for outcome in outcomes]


def next_commands(app: CliApp, sweep: Sweep) -> Iterable[str]:
    """Yield the next commands for a sweep."""
    alias = f"-a {sweep.cluster.alias} " if sweep.cluster.alias else ""
    for what in ("resume", "status", "stop"):
        yield f"  {app.console.paint(f'{what:<7}', 'dim')} opai sweep {what} {alias}{sweep.name}"


@contextmanager
def watching(app: CliApp, sweep: Sweep) -> Iterator[Callable[[list[SweepJob]], None]]:
    """Guard the block that waits for a sweep; give what shows how far it is."""
    from openpai.cli.framework import following

    ended = 0

    def seen(jobs: list[SweepJob]) -> None:
        nonlocal ended
        now = sum(job.ended for job in jobs)
        advance(now - ended)
        ended = now

    left, look = (
        f"Stopped following; the jobs of {sweep.name} are still running.",
        f"opai sweep status {sweep.name}",
    )
    with (
        following(sweep.name, look, left, lambda: next_commands(app, sweep)),
        app.progress(f"Waiting for {sweep.name}", len(sweep.jobs())) as advance,
    ):
        yield seen


END_STATES = click.Choice(("FAILED", "STOPPED", "SUCCEEDED"), case_sensitive=False)


sweep_argument = click.argument("sweep", shell_complete=complete_sweeps)


def open_sweep(app: CliApp, name: str, alias: str | None) -> Sweep:
    """Return the sweep of this name."""
    from openpai.core.sweeps import Sweep

    return Sweep(app.cluster(alias), name)


def _outcome(outcome: Any) -> dict[str, Any]:

    return outcome_row(outcome)


def _report(app: CliApp, context: click.Context, rows: Any, format_: str) -> None:
    """Write what became of each job; 1 if anything failed."""
    rows = list(rows)
    app.emit(rows, columns=OUTCOME_COLUMNS, format=format_)
    if any(row["status"] == "failed" for row in rows):
        context.exit(1)
