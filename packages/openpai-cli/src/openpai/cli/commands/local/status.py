"""The command ``opai local status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import format_option

if TYPE_CHECKING:
    from openpai.core.local import Running

__all__ = [
    "COLUMNS",
    "status",
]


COLUMNS = [
    ("URI", "uri"),
    ("User", "user"),
    ("Process", "pid"),
    ("Active jobs", "activeJobs"),
    ("Engine", "engine"),
    ("State folder", "folder"),
]


@command(
    "status",
    help="The exit code is 1 if it is not running.",
    examples="opai local status || opai local up",
)
@format_option
@click.pass_context
@pass_app
def status(app: CliApp, context: click.Context, format_: str) -> None:
    from openpai.core.local import daemon

    running = daemon.status()
    if running is None:
        app.note("The local cluster is not up. Start it: opai local up")
        context.exit(1)
    app.emit(_row(running), columns=COLUMNS, format=format_)


def _row(running: Running) -> dict[str, Any]:
    return {
        "uri": running.uri,
        "user": running.user,
        "pid": running.pid,
        "activeJobs": running.active_jobs,
        "engine": running.engine,
        "folder": str(running.folder),
    }
