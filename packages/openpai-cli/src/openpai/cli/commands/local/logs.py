"""The command ``opai local logs``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "logs",
]


@command(
    "logs",
    help="The logs of jobs are in 'opai job logs'.",
    examples="opai local logs --tail 20",
)
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@pass_app
def logs(app: CliApp, tail: int | None) -> None:
    from collections import deque

    from openpai.core.local import daemon

    lines = daemon.logs()
    for line in lines if tail is None else deque(lines, maxlen=tail):
        app.console.print(line)
