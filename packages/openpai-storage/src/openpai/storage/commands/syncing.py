"""``opai storage sync|copy|check``: between any two places."""

from __future__ import annotations

import posixpath
from typing import Any

import click

from openpai.core.cli.app import current_app
from openpai.core.errors import StorageError
from openpai.storage.commands.copying import goes_into, is_folder
from openpai.storage.commands.options import (
    command,
    either_place,
    format_option,
    is_remote,
    open_place,
    storage_option,
)
from openpai.storage.commands.transferring import files, perform, transfer_options

__all__ = ["check", "copy", "sync"]


@command(
    "sync",
    examples="""
    opai storage sync data team-nfs:/data --delete --dry-run
    opai storage sync data team-nfs:/data --delete
    opai storage sync team-nfs:/data hdfs-main:/data
    """,
)
@click.argument("source")
@click.argument("target")
@click.option(
    "--overwrite/--no-overwrite",
    default=True,
    help="Whether to replace files that exist and differ.  [default: yes]",
)
@click.option("--delete", is_flag=True, help="Delete what TARGET has and SOURCE does not.")
@click.option(
    "--max-delete",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="N",
    help="If more would be deleted, delete nothing.",
)
@storage_option
@transfer_options
@click.pass_context
def sync(
    context: click.Context,
    /,
    *,
    source: str,
    target: str,
    alias: str | None,
    name: str | None,
    **asked: Any,
) -> None:
    """Make TARGET hold what SOURCE holds, sending only what differs.

    NAME:/PATH is on a storage, :/PATH on your default one, anything else on this machine. TARGET is
    the folder that becomes like SOURCE, never one that SOURCE goes into.
    """
    app = current_app(context)
    ours = either_place(app, alias, name, source)
    is_folder = not is_remote(target) and ours[0].stat(ours[1]).is_dir
    theirs = either_place(app, alias, name, target, is_folder=is_folder)
    with ours[0], theirs[0]:
        perform(app, "Syncing", ours, theirs, asked)


@command(
    "copy",
    examples="""
    opai storage copy team-nfs:/data hdfs-main:/data
    """,
)
@click.argument("source")
@click.argument("target")
@click.option("--overwrite", is_flag=True, help="Replace files that exist and differ.")
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
    """Copy a file or folder from one storage to another, or within one.

    TARGET is the name it gets; with a slash at its end, or if it is a folder and SOURCE a file,
    SOURCE goes into it. Running the command again copies only what is missing.
    """
    app = current_app(context)
    ours = open_place(app, alias, name, source)
    theirs = open_place(app, alias, name, target)
    with ours[0], theirs[0]:
        if goes_into(target, ours[0].stat(ours[1]).is_dir, is_folder(*theirs)):
            theirs = theirs[0], posixpath.join(theirs[1], posixpath.basename(ours[1]))
        if ours[0].where("/") == theirs[0].where("/"):
            _check_apart(ours[0].where(ours[1]), ours[1], theirs[1])
        perform(app, "Copying", ours, theirs, asked)


def _check_apart(where: str, source: str, target: str) -> None:
    if source == target or target.startswith(source.rstrip("/") + "/"):
        raise StorageError(f"{where} cannot be copied into itself.", "Name another target.")


@command(
    "check",
    examples="""
    opai storage check data team-nfs:/data
    opai storage check team-nfs:/data hdfs-main:/data -o json
    """,
)
@click.argument("first")
@click.argument("second")
@click.option("--fast", is_flag=True, help="Compare sizes, and times where both sides keep them.")
@storage_option
@format_option
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    first: str,
    second: str,
    fast: bool,
    alias: str | None,
    name: str | None,
    format_: str,
) -> None:
    """Compare two files or trees; the exit code is 1 where they differ.

    Contents are compared by checksums where both sides have the same kind or one of them is this
    machine, and read from both sides where not. Paths are as for sync.
    """
    from openpai.storage.commands.comparing import differences

    app = current_app(context)
    ours, theirs = (either_place(app, alias, name, text) for text in (first, second))
    columns = [("PATH", "path"), ("DIFFERENCE", "difference"), ("ERROR", "error")]
    with ours[0], theirs[0]:
        found = differences(ours, theirs, fast=fast)
        app.emit(found, columns=columns, format=format_)
        if found.count:
            raise StorageError(
                f"{found.count} of {found.total} differ.",
                f"Make them the same with: opai storage sync {first} {second}"
                if is_remote(first) or is_remote(second)
                else "",
            )
        app.note(f"{files(found.total)} compared: the same on both sides.")
