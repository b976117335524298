"""The command ``opai local prune``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "prune",
]


@command("prune", examples="opai local prune --older-than 7d")
@click.option(
    "--older-than",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="Only what has been over for so long, such as 12h; 0s means all.",
)
@pass_app
def prune(app: CliApp, older_than: str) -> None:
    """Remove jobs that are over, with their logs and working folders.

    It prints their names, which may be used again. What runs is left alone.
    """
    from openpai.core.local import prune as remove

    try:
        removed = remove(older_than=older_than)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from None
    for name in removed:
        app.console.data(name)
    app.note(f"Removed jobs: {len(removed)}.")
