"""The command ``opai storage cat``."""

from __future__ import annotations

import shutil
import sys

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
    "cat",
]


@command(
    "cat",
    examples="""
    opai storage cat team-nfs:/logs/train.log | tail
    """,
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_remote)
@storage_option
@click.pass_context
def cat(
    context: click.Context, paths: tuple[str, ...], alias: str | None, name: str | None
) -> None:
    """Print files."""
    app = current_app(context)

    def show(path: str) -> None:
        storage, place = resolve(app, alias, name, path)
        with storage, storage.open_read(place) as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()

    for_each_path(app, paths, show)
