"""The command ``opai storage delete``."""

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
    "delete",
]


@command(
    "delete",
    examples="""
    opai storage delete team-nfs:/data/file
    opai storage delete team-nfs:/data -r
    """,
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_remote)
@click.option("-r", "--recursive", is_flag=True, help="Delete folders with their content.")
@storage_option
@click.pass_context
def delete(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    recursive: bool,
    alias: str | None,
    name: str | None,
) -> None:
    """Delete files or folders."""
    app = current_app(context)

    def remove(path: str) -> None:
        storage, place = resolve(app, alias, name, path)
        with storage:
            storage.delete(place, recursive=recursive)

    for_each_path(app, paths, remove)
