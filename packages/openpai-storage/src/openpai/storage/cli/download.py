"""The command ``opai storage download``."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

import click

from openpai.core.cli import complete_files, current_app
from openpai.storage.cli._options import (
    command,
    complete_remote,
    is_directory_target,
    resolve,
    storage_option,
)
from openpai.storage.cli._transfer import run_transfer, transfer_options

__all__ = [
    "download",
]


@command(
    "download",
    examples="""
    opai storage download team-nfs:/models/best           # becomes ./best
    opai storage download team-nfs:/models/best results   # becomes ./results
    """,
)
@click.argument("remote", shell_complete=complete_remote)
@click.argument("local", default=".", shell_complete=complete_files)
@click.option(
    "--overwrite/--no-overwrite",
    default=True,
    help="Replace existing files that differ.  [default: yes]",
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
    """Download a file or folder.

    LOCAL is the name it gets; if it is "." (as it is by default) or ends with a slash, or is a
    folder and REMOTE a file, REMOTE goes into it. Running the command again copies only what is
    missing.
    """
    from openpai.core.storage.transfer import local_place

    app = current_app(context)
    storage, place = resolve(app, alias, name, remote)
    with storage:
        target, from_folder = Path(local), storage.stat(place).is_dir
        if is_directory_target(local, from_folder, target.is_dir()):
            target /= posixpath.basename(place) or storage.name
        there = local_place(target, is_folder=from_folder)
        run_transfer(app, "Downloading", (storage, place), there, asked)
