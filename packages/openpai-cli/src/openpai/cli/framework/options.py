"""Options that many commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from openpai.cli.framework import completion as _complete
from openpai.core.states import STATES
from openpai.core.units import parse_duration

__all__ = [
    "cluster_option",
    "existing_file",
    "format_option",
    "job_argument",
    "jobs_argument",
    "mebibytes",
    "moment",
    "parallel_option",
    "seconds",
    "state_option",
    "timeout_option",
    "yes_option",
]

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = ("table", "json", "yaml", "name")


def state(text: str) -> str:
    """Read the name of a state in any spelling."""
    if text.upper() not in STATES:
        raise click.BadParameter(f"there is no state '{text}'; there are {', '.join(STATES)}.")
    return text.upper()


def seconds(text: str) -> float:
    """Read ``90``, ``90s``, ``10m``, ``1h30m`` as seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def moment(text: str) -> datetime:
    """Read ``10m`` (ago), or ``2026-01-31``, ``2026-01-31T12:00``, in this machine's zone."""
    from openpai.cli.ui import parse_moment

    try:
        return parse_moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def mebibytes(text: str) -> int:
    """Read ``4096`` (MiB), ``8g``, ``8gb`` or ``512m`` as MiB."""
    from openpai.core.errors import ConfigError
    from openpai.core.units import mebibytes as read

    try:
        return read(text)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from None


def cluster_option(function: F) -> F:
    """``-a``: which cluster."""
    return click.option(
        "-a",
        "--cluster-alias",
        "alias",
        metavar="ALIAS",
        shell_complete=_complete.clusters,
        help="The cluster, if not the selected one.",
    )(function)


def format_option(function: F) -> F:
    """``-o``: how data is written."""
    return click.option(
        "-o",
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default="table",
        help="How to write the data.  [default: table]",
    )(function)


def yes_option(function: F) -> F:
    """``--yes``: do not ask."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)


def timeout_option(function: F) -> F:
    """``--timeout``: how long to wait."""
    return click.option(
        "--timeout",
        type=seconds,
        metavar="TIME",
        help="Give up waiting after this time (90s, 10m, 1h30m), with exit code 124.",
    )(function)


def state_option(function: F) -> F:
    """``--state``: only jobs in one of these states."""
    return click.option(
        "--state",
        "states",
        multiple=True,
        type=state,
        metavar="STATE",
        shell_complete=_complete.states,
        help="Only jobs in this state: WAITING, RUNNING, … (again for more).",
    )(function)


def parallel_option(function: F) -> F:
    """``--max-parallel``: how many jobs of a sweep may go on at once."""
    return click.option(
        "--max-parallel",
        type=click.IntRange(min=1),
        metavar="N",
        help="Let at most N jobs go on at the same time; stay until the last is submitted.",
    )(function)


def job_argument(function: F) -> F:
    """One job, ``NAME`` or ``USER~NAME``."""
    return click.argument("job", shell_complete=_complete.jobs)(function)


def jobs_argument(function: F) -> F:
    """One job or more."""
    return click.argument("jobs", nargs=-1, required=True, shell_complete=_complete.jobs)(function)


def existing_file(**kwargs: Any) -> click.Path:
    """A file that must exist."""
    return click.Path(exists=True, dir_okay=False, path_type=Path, **kwargs)
