"""The command ``opai storage copy``."""

from __future__ import annotations

import posixpath
from typing import Any

import click

from openpai.core.cli import current_app, overwrite_option
from openpai.core.errors import StorageError
from openpai.storage.cli._options import (
    command,
    is_directory_target,
    is_folder,
    resolve,
    storage_option,
)
from openpai.storage.cli._transfer import run_transfer, transfer_options

__all__ = [
    "copy",
]


@command(
    "copy",
    examples="""
    opai storage copy team-nfs:/data hdfs-main:/data
    """,
)
@click.argument("source")
@click.argument("target")
@overwrite_option
@storage_option
@transfer_options
@click.pass_context
def copy(
    context: click.Context,
    /,
    *,
    source: str,
    target: str,
    alias: str | None,
    name: str | None,
    **asked: Any,
) -> None:
    """Copy a file or folder between storages or within one.

    TARGET is the name it gets; with a slash at its end, or if it is a folder and SOURCE a file,
    SOURCE goes into it. Running the command again copies only what is missing.
    """
    app = current_app(context)
    ours = resolve(app, alias, name, source)
    theirs = resolve(app, alias, name, target)
    with ours[0], theirs[0]:
        if is_directory_target(target, ours[0].stat(ours[1]).is_dir, is_folder(*theirs)):
            theirs = theirs[0], posixpath.join(theirs[1], posixpath.basename(ours[1]))
        if ours[0].where("/") == theirs[0].where("/"):
            _check_apart(ours[0].where(ours[1]), ours[1], theirs[1])
        run_transfer(app, "Copying", ours, theirs, asked)


def _check_apart(where: str, source: str, target: str) -> None:
    if source == target or target.startswith(source.rstrip("/") + "/"):
        raise StorageError(f"{where} cannot be copied into itself.", "Name another target.")
