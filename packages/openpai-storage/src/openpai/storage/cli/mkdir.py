"""The command ``opai storage mkdir``."""

from __future__ import annotations

import click

from openpai.core.cli import current_app
from openpai.storage.cli._options import (
    command,
    complete_remote,
    for_each_path,
    resolve,
    storage_option,
)

__all__ = [
    "mkdir",
]


@command(
    "mkdir",
    examples="""
    opai storage mkdir team-nfs:/data/new
    """,
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_remote)
@storage_option
@click.pass_context
def mkdir(
    context: click.Context, paths: tuple[str, ...], alias: str | None, name: str | None
) -> None:
    """Create folders and their parents."""
    app = current_app(context)

    def make(path: str) -> None:
        storage, place = resolve(app, alias, name, path)
        with storage:
            storage.mkdir(place)

    for_each_path(app, paths, make)
