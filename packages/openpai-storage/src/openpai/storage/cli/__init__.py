"""``opai storage``: the commands that this distribution brings."""

from __future__ import annotations

import click

from openpai.core.cli import CONTEXT_SETTINGS
from openpai.storage.cli.attach import attach, detach
from openpai.storage.cli.bench import bench
from openpai.storage.cli.cat import cat
from openpai.storage.cli.check import check
from openpai.storage.cli.copy import copy
from openpai.storage.cli.delete import delete
from openpai.storage.cli.download import download
from openpai.storage.cli.du import disk_usage
from openpai.storage.cli.list import list_
from openpai.storage.cli.list_storage import list_storage
from openpai.storage.cli.mkdir import mkdir
from openpai.storage.cli.move import move
from openpai.storage.cli.status import status
from openpai.storage.cli.sync import sync
from openpai.storage.cli.upload import upload

__all__ = ["storage"]


@click.group(context_settings=CONTEXT_SETTINGS)
def storage() -> None:
    """Copy and manage files on storages.

    A path is NAME:/PATH, or PATH on the storage of -s, else on your default storage.
    """


for _command in (
    *(list_storage, list_, status, cat, disk_usage),
    *(upload, download, sync, copy, check),
    *(mkdir, move, delete),
    *(attach, detach, bench),
):
    storage.add_command(_command)
