"""``opai storage list-storage|list|status|cat|du``: look at what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

import click

from openpai.core.cli import current_app, format_option
from openpai.core.file_names import Accepted
from openpai.storage.cli._options import command, complete_remote, resolve, storage_option

if TYPE_CHECKING:
    from openpai.core.storage import Entry, Storage

__all__ = [
    "list_",
]


@command(
    "list",
    examples="""
    opai storage list /data
    opai storage list team-nfs:/models -r -o json
    """,
)
@click.argument("path", default="/", shell_complete=complete_remote)
@click.option("-r", "--recursive", is_flag=True, help="List subfolders recursively.")
@storage_option
@format_option
@click.pass_context
def list_(
    context: click.Context,
    *,
    path: str,
    recursive: bool,
    alias: str | None,
    name: str | None,
    format_: str,
) -> None:
    """List files and folders."""
    app = current_app(context)
    storage, place = resolve(app, alias, name, path)
    columns = [("PATH", "path"), ("TYPE", "type"), ("BYTES", "size"), ("MODIFIED", "modified")]
    with storage:
        entries = Accepted(_entries(storage, place, recursive))
        app.emit(map(_row, entries), columns=columns, format=format_)
        entries.check()


def _entries(storage: Storage, path: str, recursive: bool) -> Iterator[Entry]:
    entry = storage.stat(path)
    if not entry.is_dir:
        return iter([entry])
    return storage.walk(path) if recursive else storage.list(path)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "type": "folder" if entry.is_dir else "file",
        "size": entry.size,
        "modified": entry.modified,
        "mode": None if entry.mode is None else f"{entry.mode:04o}",
    }
