"""The command ``opai local prune``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "prune",
]


@command(
    "prune",
    help="Prints the names of the removed jobs, which may be used again. Active jobs are kept.",
    examples="opai local prune --older-than 7d",
)
@click.option(
    "--older-than",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="Only jobs that ended longer ago than this, such as 12h (0s = all).",
)
@pass_app
def prune(app: CliApp, older_than: str) -> None:
    from openpai.core.local import prune as remove

    try:
        removed = remove(older_than=older_than)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from None
    for name in removed:
        app.console.print(name)
    app.note(f"Removed jobs: {len(removed)}.")
