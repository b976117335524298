"""The command ``opai storage status``."""

from __future__ import annotations

import click

from openpai.core.cli import current_app, format_option
from openpai.storage.cli._options import command, complete_remote, resolve, storage_option
from openpai.storage.cli.list import _row

__all__ = [
    "status",
]


@command(
    "status",
    examples="""
    opai storage status team-nfs:/models/best
    """,
)
@click.argument("path", shell_complete=complete_remote)
@storage_option
@format_option
@click.pass_context
def status(
    context: click.Context, path: str, alias: str | None, name: str | None, format_: str
) -> None:
    """Show one file or folder."""
    app = current_app(context)
    storage, place = resolve(app, alias, name, path)
    with storage:
        row = {**_row(storage.stat(place)), "storage": storage.name}
    columns = [
        ("PATH", "path"),
        ("STORAGE", "storage"),
        ("TYPE", "type"),
        ("BYTES", "size"),
        ("MODIFIED", "modified"),
        ("MODE", "mode"),
    ]
    app.emit(row, columns=columns, format=format_)
