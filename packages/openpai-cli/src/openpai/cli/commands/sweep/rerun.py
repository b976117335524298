"""The command ``opai sweep rerun``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from openpai.cli.commands.sweep._sweep import END_STATES, _report, open_sweep, sweep_argument
from openpai.cli.framework import CliApp, command, parallel_option, pass_app
from openpai.core.cli import cluster_option, format_option

if TYPE_CHECKING:
    from openpai.core.client import Outcome

__all__ = [
    "rerun",
]


@command(
    "rerun",
    help="""
    The same points get jobs with new names (…_try2); results and waiting use the latest of
    each.
    """,
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
    help="State of the jobs to rerun (repeatable).  [default: FAILED]",
)
@parallel_option
@click.option(
    "--dry-run", is_flag=True, help="List the jobs that would be submitted; submit nothing."
)
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
    from openpai.cli.commands.sweep._sweep import send
    from openpai.core.sweeps import try_name

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
