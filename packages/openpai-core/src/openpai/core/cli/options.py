"""Click options, arguments and types that the commands of several distributions share."""

from __future__ import annotations

from pathlib import Path

import click

from openpai.core.cli.completion import complete_clusters, complete_jobs
from openpai.core.units import parse_duration

__all__ = [
    "EXISTING_FILE",
    "FORMATS",
    "LOCAL_FILE",
    "LOCAL_PATH",
    "cluster_option",
    "format_option",
    "job_argument",
    "mebibytes",
    "overwrite_option",
    "seconds",
]

#: How commands write data (``-o``).
FORMATS = ("table", "json", "yaml", "name")

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
LOCAL_FILE = click.Path(dir_okay=False, path_type=Path)
LOCAL_PATH = click.Path(path_type=Path)

cluster_option = click.option(
    "-a",
    "--cluster-alias",
    "alias",
    metavar="ALIAS",
    shell_complete=complete_clusters,
    help="Cluster to use.  [default: the selected one]",
)

format_option = click.option(
    "-o",
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    help="Output format.  [default: table]",
)

overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace existing files that differ."
)

job_argument = click.argument("job", shell_complete=complete_jobs)


def seconds(text: str) -> float:
    """Read ``90``, ``90s``, ``10m``, ``1h30m`` as seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def mebibytes(text: str) -> int:
    """Read ``4096`` (MiB), ``8g``, ``8gb`` or ``512m`` as MiB."""
    from openpai.core.errors import ConfigError
    from openpai.core.units import mebibytes as parse

    try:
        return parse(text)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from None
