"""``opai storage sync|copy|check``: between any two places."""

from __future__ import annotations

from typing import Any

import click

from openpai.core.cli import current_app
from openpai.storage.cli._options import command, is_remote, resolve_either, storage_option
from openpai.storage.cli._transfer import run_transfer, transfer_options

__all__ = [
    "sync",
]


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
    help="Replace existing files that differ.  [default: yes]",
)
@click.option("--delete", is_flag=True, help="Delete files in TARGET that are not in SOURCE.")
@click.option(
    "--max-delete",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Delete nothing if more than N files would be deleted.",
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
    """Synchronise TARGET with SOURCE, copying only what differs.

    NAME:/PATH is on a storage, :/PATH on your default one, anything else on this machine. TARGET is
    the folder that becomes like SOURCE, never one that SOURCE goes into.
    """
    app = current_app(context)
    ours = resolve_either(app, alias, name, source)
    is_folder = not is_remote(target) and ours[0].stat(ours[1]).is_dir
    theirs = resolve_either(app, alias, name, target, is_folder=is_folder)
    with ours[0], theirs[0]:
        run_transfer(app, "Syncing", ours, theirs, asked)
