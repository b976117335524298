"""``opai storage mkdir|move|delete``: change what is there."""

from __future__ import annotations

import errno
import posixpath

import click

from openpai.core.cli import current_app
from openpai.storage.cli._options import command, complete_remote, resolve, storage_option

__all__ = [
    "move",
]


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
    """Move or rename a file or folder within one storage.

    If TARGET is a folder, SOURCE goes into it. TARGET may leave out the NAME: of SOURCE.
    """
    from openpai.core.storage import StorageUri

    new = StorageUri.parse(target)
    storage, old = resolve(current_app(context), alias, name, source)
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
