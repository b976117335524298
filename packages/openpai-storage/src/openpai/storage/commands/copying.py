"""``opai storage upload|download``: copy files and folders."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.core.cli.app import current_app
from openpai.storage.commands.options import (
    command,
    complete_local,
    complete_remote,
    open_place,
    storage_option,
)
from openpai.storage.commands.transferring import perform, transfer_options

if TYPE_CHECKING:
    from openpai.core.storage.base import Storage

__all__ = ["download", "goes_into", "is_folder", "upload"]


@command(
    "upload",
    examples="""
    opai storage upload data /sets         # data/x becomes /sets/x
    opai storage upload data team-nfs:/    # data/x becomes team-nfs:/data/x
    """,
)
@click.argument("local", shell_complete=complete_local)
@click.argument("remote", shell_complete=complete_remote)
@click.option("--overwrite", is_flag=True, help="Replace files that exist and differ.")
@storage_option
@transfer_options
@click.pass_context
def upload(
    context: click.Context,
    /,
    *,
    local: str,
    remote: str,
    alias: str | None,
    name: str | None,
    **asked: Any,
) -> None:
    """Copy a file or folder of this machine to a storage.

    REMOTE is the name it gets; with a slash at its end, or if it is a folder and LOCAL a file,
    LOCAL goes into it. Running the command again copies only what is missing.
    """
    from openpai.core.storage.transfer.transfer import local_place

    app = current_app(context)
    storage, place = open_place(app, alias, name, remote)
    with storage:
        if goes_into(remote, Path(local).is_dir(), is_folder(storage, place)):
            place = posixpath.join(place, Path(os.path.realpath(local)).name)
        perform(app, "Uploading", local_place(Path(local)), (storage, place), asked)


@command(
    "download",
    examples="""
    opai storage download team-nfs:/models/best           # becomes ./best
    opai storage download team-nfs:/models/best results   # becomes ./results
    """,
)
@click.argument("remote", shell_complete=complete_remote)
@click.argument("local", default=".", shell_complete=complete_local)
@click.option(
    "--overwrite/--no-overwrite",
    default=True,
    help="Whether to replace files that exist and differ.  [default: yes]",
)
@storage_option
@transfer_options
@click.pass_context
def download(
    context: click.Context,
    /,
    *,
    remote: str,
    local: str,
    alias: str | None,
    name: str | None,
    **asked: Any,
) -> None:
    """Copy a file or folder of a storage to this machine.

    LOCAL is the name it gets; if it is "." (as it is by default) or ends with a slash, or is a
    folder and REMOTE a file, REMOTE goes into it. Running the command again copies only what is
    missing.
    """
    from openpai.core.storage.transfer.transfer import local_place

    app = current_app(context)
    storage, place = open_place(app, alias, name, remote)
    with storage:
        target, from_folder = Path(local), storage.stat(place).is_dir
        if goes_into(local, from_folder, target.is_dir()):
            target /= posixpath.basename(place) or storage.name
        there = local_place(target, is_folder=from_folder)
        perform(app, "Downloading", (storage, place), there, asked)


def goes_into(target: str, source_is_folder: bool, target_is_folder: bool) -> bool:
    """Whether a target is the folder to put things in, rather than the name to give them.

    An existing folder as the target of a folder is the same folder, so that a copy that is run
    again goes on where it stopped.
    """
    nameless = target.replace(":", "/").rpartition("/")[2] in ("", ".", "..")
    return nameless or (target_is_folder and not source_is_folder)


def is_folder(storage: Storage, path: str) -> bool:
    """Whether a storage has a folder of this path."""
    try:
        return storage.stat(path).is_dir
    except (FileNotFoundError, NotADirectoryError):
        return False
