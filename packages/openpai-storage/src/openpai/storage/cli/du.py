"""The command ``opai storage du``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable

import click

from openpai.core.cli import current_app, format_option
from openpai.core.file_names import Accepted
from openpai.storage.cli._options import (
    command,
    complete_remote,
    for_each_path,
    resolve,
    storage_option,
)

if TYPE_CHECKING:
    from openpai.core.storage import Entry

__all__ = [
    "disk_usage",
]


@command(
    "du",
    examples="""
    opai storage du team-nfs:/ hdfs-main:/models
    """,
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, shell_complete=complete_remote)
@storage_option
@format_option
@click.pass_context
def disk_usage(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    alias: str | None,
    name: str | None,
    format_: str,
) -> None:
    """Show the total size of folders."""
    app = current_app(context)
    rows: list[dict[str, Any]] = []

    def add(path: str) -> None:
        storage, place = resolve(app, alias, name, path)
        with storage:
            entry = storage.stat(place)
            below = Accepted(storage.walk(place) if entry.is_dir else ())
            rows.append({"path": place, **_sum(entry, below), "storage": storage.name})
            below.check()

    columns = [("PATH", "path"), ("BYTES", "size"), ("FILES", "files"), ("FOLDERS", "folders")]
    try:
        for_each_path(app, paths or ("/",), add)
    finally:
        if rows:
            app.emit(rows, columns=columns, format=format_)


def _sum(entry: Entry, below: Iterable[Entry]) -> dict[str, int]:
    """Count files, folders below a file or folder, and bytes."""
    found = {"size": entry.size, "files": int(not entry.is_dir), "folders": 0}
    for one in below:
        found["size"] += one.size
        found["folders" if one.is_dir else "files"] += 1
    return found
