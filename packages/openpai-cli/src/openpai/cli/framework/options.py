"""Options and arguments that several commands of ``opai`` share."""

from __future__ import annotations

from datetime import datetime

import click

from openpai.core.cli import complete_jobs, complete_states, seconds
from openpai.core.states import STATES

__all__ = [
    "jobs_argument",
    "parallel_option",
    "point_in_time",
    "state_option",
    "timeout_option",
    "yes_option",
]


def _state(text: str) -> str:
    """Read the name of a state, in any case."""
    if text.upper() not in STATES:
        raise click.BadParameter(f"invalid state '{text}' (choose from {', '.join(STATES)})")
    return text.upper()


def point_in_time(text: str) -> datetime:
    """Read ``10m`` (ago), ``2026-01-31`` or ``2026-01-31T12:00`` (in this machine's time zone)."""
    from openpai.cli.ui import parse_moment

    try:
        return parse_moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


yes_option = click.option("-y", "--yes", is_flag=True, help="Skip confirmation prompts.")

timeout_option = click.option(
    "--timeout",
    type=seconds,
    metavar="TIME",
    help="Stop waiting after this time (90s, 10m, 1h30m) and exit with 124.",
)

state_option = click.option(
    "--state",
    "states",
    multiple=True,
    type=_state,
    metavar="STATE",
    shell_complete=complete_states,
    help="Only jobs in this state: WAITING, RUNNING, … (repeatable).",
)

parallel_option = click.option(
    "--max-parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help="Maximum number of jobs at the same time; the command waits until all are submitted.",
)

jobs_argument = click.argument("jobs", nargs=-1, required=True, shell_complete=complete_jobs)
