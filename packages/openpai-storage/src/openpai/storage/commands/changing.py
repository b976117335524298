"""``opai storage mkdir|move|delete``: change what is there."""

from __future__ import annotations

import errno
import posixpath

import click

from openpai.core.cli.app import current_app
from openpai.storage.commands.options import (
    command,
    complete_remote,
    each,
    open_place,
    storage_option,
)

__all__ = ["delete", "mkdir", "move"]


@command(
    "mkdir",
    examples="""
    opai storage mkdir team-nfs:/data/new
    """,
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_remote)
@storage_option
@click.pass_context
def mkdir(
    context: click.Context, paths: tuple[str, ...], alias: str | None, name: str | None
) -> None:
    """Make folders and those above them; existing ones are fine."""
    app = current_app(context)

    def make(path: str) -> None:
        storage, place = open_place(app, alias, name, path)
        with storage:
            storage.mkdir(place)

    each(app, paths, make)


@command(
    "move",
    examples="""
    opai storage move team-nfs:/data/old /data/new
    """,
)
@click.argument("source", shell_complete=complete_remote)
@click.argument("target", shell_complete=complete_remote)
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@storage_option
@click.pass_context
def move(
    context: click.Context,
    *,
    source: str,
    target: str,
    overwrite: bool,
    alias: str | None,
    name: str | None,
) -> None:
    """Rename or move a file or folder inside one storage.

    If TARGET is a folder, SOURCE goes into it. TARGET may leave out the NAME: of SOURCE.
    """
    from openpai.core.storage.base import StorageUri

    new = StorageUri.parse(target)
    storage, old = open_place(current_app(context), alias, name, source)
    with storage:
        if new.storage not in ("", storage.name):
            raise click.UsageError(
                f"'{source}' and '{target}' are on two storages: download it and upload it there."
            )
        place = new.path
        if target.endswith("/") or (storage.exists(place) and storage.stat(place).is_dir):
            place = posixpath.join(place, posixpath.basename(old))
        if storage.exists(place) and not overwrite:
            where = storage.where(place)
            raise FileExistsError(errno.EEXIST, "Exists (--overwrite replaces a file)", where)
        storage.rename(old, place)


@command(
    "delete",
    examples="""
    opai storage delete team-nfs:/data/file
    opai storage delete team-nfs:/data -r
    """,
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_remote)
@click.option("-r", "--recursive", is_flag=True, help="Delete folders with all that they hold.")
@storage_option
@click.pass_context
def delete(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    recursive: bool,
    alias: str | None,
    name: str | None,
) -> None:
    """Delete files, empty folders, or with -r whole folders."""
    app = current_app(context)

    def remove(path: str) -> None:
        storage, place = open_place(app, alias, name, path)
        with storage:
            storage.delete(place, recursive=recursive)

    each(app, paths, remove)
