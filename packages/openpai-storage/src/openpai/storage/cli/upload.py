"""``opai storage upload|download``: copy files and folders."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.core.cli import complete_files, current_app, overwrite_option
from openpai.storage.cli._options import (
    command,
    complete_remote,
    is_directory_target,
    is_folder,
    resolve,
    storage_option,
)
from openpai.storage.cli._transfer import run_transfer, transfer_options

if TYPE_CHECKING:
    pass

__all__ = [
    "upload",
]


@command(
    "upload",
    examples="""
    opai storage upload data /sets         # data/x becomes /sets/x
    opai storage upload data team-nfs:/    # data/x becomes team-nfs:/data/x
    """,
)
@click.argument("local", shell_complete=complete_files)
@click.argument("remote", shell_complete=complete_remote)
@overwrite_option
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
    """Upload a file or folder.

    REMOTE is the name it gets; with a slash at its end, or if it is a folder and LOCAL a file,
    LOCAL goes into it. Running the command again copies only what is missing.
    """
    from openpai.core.storage.transfer import local_place

    app = current_app(context)
    storage, place = resolve(app, alias, name, remote)
    with storage:
        if is_directory_target(remote, Path(local).is_dir(), is_folder(storage, place)):
            place = posixpath.join(place, Path(os.path.realpath(local)).name)
        run_transfer(app, "Uploading", local_place(Path(local)), (storage, place), asked)
