"""``opai storage list-storage|list|status|cat|du``: look at what is there."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, Iterable, Iterator

import click

from openpai.core.cli.app import App, current_app
from openpai.core.file_names import Accepted
from openpai.storage.commands.options import (
    cluster_option,
    command,
    complete_remote,
    each,
    format_option,
    open_place,
    storage_option,
)

if TYPE_CHECKING:
    from openpai.core.storage.base import Entry, Storage, StorageSpec

__all__ = ["cat", "disk_usage", "list_", "list_storage", "status"]


@command(
    "list-storage",
    examples="""
    opai storage list-storage
    """,
)
@cluster_option
@format_option
@click.pass_context
def list_storage(context: click.Context, alias: str | None, format_: str) -> None:
    """List the storages you may use, your default ones first, attached ones last.

    MOUNTED is the folder of this machine where a storage is reached, where there is one.
    """
    app = current_app(context)
    rows = [
        {
            "name": spec.name,
            "type": spec.type or None,
            "readOnly": spec.read_only,
            "mountPath": _folder(spec),
        }
        for spec in _storages(app, alias)
    ]
    columns = [
        ("NAME", "name"),
        ("TYPE", "type"),
        ("READ-ONLY", "readOnly"),
        ("MOUNTED", "mountPath"),
    ]
    app.emit(rows, columns=columns, format=format_)


def _storages(app: App, alias: str | None) -> list[StorageSpec]:
    """Return the storages of the cluster and the attached ones; without one, those known here."""
    from openpai.core.config.clusters import load_clusters
    from openpai.core.config.storages import attached_storages
    from openpai.storage.posix import mounted_here

    attached = attached_storages()
    if alias is None and not load_clusters():
        known = {**mounted_here(), **attached}
        if known:
            return list(known.values())
    listed = app.cluster(alias).storages()
    names = {spec.name for spec in listed}
    return [*listed, *(spec for name, spec in attached.items() if name not in names)]


def _folder(spec: StorageSpec) -> str | None:
    """Return where a storage is reached on this machine, ``None`` where it is not."""
    from openpai.core.errors import OpenPaiError
    from openpai.core.storage.base import open_storage
    from openpai.core.storage.local import LocalStorage

    try:
        with open_storage(spec) as storage:
            return str(storage.root) if isinstance(storage, LocalStorage) else None
    except (OSError, OpenPaiError):
        return None


@command(
    "list",
    examples="""
    opai storage list /data
    opai storage list team-nfs:/models -r -o json
    """,
)
@click.argument("path", default="/", shell_complete=complete_remote)
@click.option("-r", "--recursive", is_flag=True, help="Go into folders.")
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
    """List a folder."""
    app = current_app(context)
    storage, place = open_place(app, alias, name, path)
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
    """Describe one file or folder."""
    app = current_app(context)
    storage, place = open_place(app, alias, name, path)
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
    """Write the content of files to stdout."""
    app = current_app(context)

    def show(path: str) -> None:
        storage, place = open_place(app, alias, name, path)
        with storage, storage.open_read(place) as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()

    each(app, paths, show)


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
    """Add up the files in folders."""
    app = current_app(context)
    rows: list[dict[str, Any]] = []

    def add(path: str) -> None:
        storage, place = open_place(app, alias, name, path)
        with storage:
            entry = storage.stat(place)
            below = Accepted(storage.walk(place) if entry.is_dir else ())
            rows.append({"path": place, **_sum(entry, below), "storage": storage.name})
            below.check()

    columns = [("PATH", "path"), ("BYTES", "size"), ("FILES", "files"), ("FOLDERS", "folders")]
    try:
        each(app, paths or ("/",), add)
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
