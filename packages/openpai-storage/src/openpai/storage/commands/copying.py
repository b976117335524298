"""``opai storage upload|download``: copy files and folders."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.core.app import App, current_app
from openpai.storage.commands.options import (
    complete_local,
    complete_remote,
    open_place,
    storage_option,
)

if TYPE_CHECKING:
    from openpai.core.storage import Storage
    from openpai.core.transfer import Copied, Failed, Transfer

__all__ = ["download", "upload"]

_UPLOAD_EXAMPLES = """\b
Examples:
  opai storage upload data /sets         # data/x becomes /sets/x
  opai storage upload data team-nfs:/    # data/x becomes team-nfs:/data/x
"""

_DOWNLOAD_EXAMPLES = """\b
Examples:
  opai storage download team-nfs:/models/best           # becomes ./best
  opai storage download team-nfs:/models/best results   # becomes ./results
"""

_format_option = click.option(
    "-o",
    "--format",
    "format_",
    type=click.Choice(("table", "json", "yaml", "name")),
    help="Write one row for each file; without it only a summary goes to stderr.",
)


@click.command("upload", epilog=_UPLOAD_EXAMPLES)
@click.argument("local", shell_complete=complete_local)
@click.argument("remote", shell_complete=complete_remote)
@click.option("--overwrite", is_flag=True, help="Replace files that exist and differ.")
@storage_option
@_format_option
@click.pass_context
def upload(
    context: click.Context,
    *,
    local: str,
    remote: str,
    overwrite: bool,
    alias: str | None,
    name: str | None,
    format_: str | None,
) -> None:
    """Copy a file or folder of this machine to a storage.

    REMOTE is the name it gets; with a slash at its end, or if it is a folder and LOCAL a file,
    LOCAL goes into it. Running the command again copies only what is missing.
    """
    from openpai.core.transfer import Transfer, local_place

    app = current_app(context)
    storage, place = open_place(app, alias, name, remote)
    with storage:
        if _goes_into(remote, Path(local).is_dir(), _is_folder(storage, place)):
            place = posixpath.join(place, Path(os.path.realpath(local)).name)
        transfer = Transfer(*local_place(Path(local)), storage, place)
        _run(app, "Uploading", transfer, overwrite, format_)


@click.command("download", epilog=_DOWNLOAD_EXAMPLES)
@click.argument("remote", shell_complete=complete_remote)
@click.argument("local", default=".", shell_complete=complete_local)
@click.option(
    "--overwrite/--no-overwrite",
    default=True,
    help="Whether to replace files that exist and differ.  [default: yes]",
)
@storage_option
@_format_option
@click.pass_context
def download(
    context: click.Context,
    *,
    remote: str,
    local: str,
    overwrite: bool,
    alias: str | None,
    name: str | None,
    format_: str | None,
) -> None:
    """Copy a file or folder of a storage to this machine.

    LOCAL is the name it gets; if it is "." (as it is by default) or ends with a slash, or is a
    folder and REMOTE a file, REMOTE goes into it. Running the command again copies only what is
    missing.
    """
    from openpai.core.transfer import Transfer, local_place

    app = current_app(context)
    storage, place = open_place(app, alias, name, remote)
    with storage:
        target = Path(local)
        if _goes_into(local, storage.stat(place).is_dir, target.is_dir()):
            target /= posixpath.basename(place) or storage.name
        transfer = Transfer(storage, place, *local_place(target))
        _run(app, "Downloading", transfer, overwrite, format_)


def _goes_into(target: str, source_is_folder: bool, target_is_folder: bool) -> bool:
    """Whether a target is the folder to put things in, rather than the name to give them.

    An existing folder as the target of a folder is the same folder, so that a copy that is run
    again goes on where it stopped.
    """
    nameless = target.replace(":", "/").rpartition("/")[2] in ("", ".", "..")
    return nameless or (target_is_folder and not source_is_folder)


def _is_folder(storage: Storage, path: str) -> bool:
    return storage.exists(path) and storage.stat(path).is_dir


def _run(app: App, doing: str, transfer: Transfer, overwrite: bool, format_: str | None) -> None:
    from openpai.core.transfer import TransferError

    try:
        with app.progress(f"{doing} {transfer.files} files", transfer.size) as advance:
            copied = transfer.run(overwrite=overwrite, on_bytes=advance)
    except TransferError as error:
        _report(app, format_, error.copied, error.failed)
        raise
    _report(app, format_, copied, ())


def _report(
    app: App,
    format_: str | None,
    copied: list[Copied] | tuple[Copied, ...],
    failed: tuple[Failed, ...],
) -> None:
    if format_:
        columns = [
            ("TARGET", "target"),
            ("BYTES", "size"),
            ("STATUS", "status"),
            ("ERROR", "error"),
        ]
        rows = [*map(_copied_row, copied), *map(_failed_row, failed)]
        app.emit(rows, columns=columns, format=format_)
    else:
        for item in failed:
            app.note(f"{item.source}: {_reason(item.error)}")
    sent = [item for item in copied if not item.unchanged]
    size = sum(item.size for item in sent)
    there = len(copied) - len(sent)
    app.note(
        f"{_files(len(sent))} copied ({_readable(size)})"
        + (f", {_files(there)} unchanged" if there else "")
        + (f", {len(failed)} failed" if failed else "")
        + "."
    )


def _copied_row(item: Copied) -> dict[str, Any]:
    status = "unchanged" if item.unchanged else "copied"
    return {
        "target": item.target,
        "source": item.source,
        "size": item.size,
        "status": status,
        "error": None,
    }


def _failed_row(item: Failed) -> dict[str, Any]:
    return {
        "target": item.target,
        "source": item.source,
        "size": None,
        "status": "failed",
        "error": _reason(item.error),
    }


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _readable(size: float) -> str:
    """Write a number of bytes for people, in powers of 1024."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
