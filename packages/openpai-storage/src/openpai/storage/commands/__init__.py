"""``opai storage``: the commands that this distribution brings."""

from __future__ import annotations

import click

from openpai.core.cli.command import CONTEXT_SETTINGS
from openpai.storage.commands.attaching import attach, detach
from openpai.storage.commands.benching import bench
from openpai.storage.commands.changing import delete, mkdir, move
from openpai.storage.commands.copying import download, upload
from openpai.storage.commands.looking import cat, disk_usage, list_, list_storage, status
from openpai.storage.commands.syncing import check, copy, sync

__all__ = ["storage"]


@click.group(context_settings=CONTEXT_SETTINGS)
def storage() -> None:
    """Move files to and from the storages of a cluster.

    A path is NAME:/PATH, or PATH on the storage of -s, else on your default storage.
    """


for _command in (
    *(list_storage, list_, status, cat, disk_usage),
    *(upload, download, sync, copy, check),
    *(mkdir, move, delete),
    *(attach, detach, bench),
):
    storage.add_command(_command)
