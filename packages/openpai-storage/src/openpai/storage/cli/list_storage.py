"""The command ``opai storage list-storage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openpai.core.cli import App, cluster_option, current_app, format_option
from openpai.storage.cli._options import command

if TYPE_CHECKING:
    from openpai.core.storage import StorageSpec

__all__ = [
    "list_storage",
]


@command(
    "list-storage",
    examples="""
    opai storage list-storage
    """,
)
@cluster_option
@format_option
@click.pass_context
def list_storage(context: click.Context, alias: str | None, format_: str) -> None:
    """List the storages you may use: default ones first, attached ones last.

    MOUNTED is the folder of this machine where a storage is reached, where there is one.
    """
    app = current_app(context)
    rows = [
        {
            "name": spec.name,
            "type": spec.type or None,
            "readOnly": spec.read_only,
            "mountPath": _folder(spec),
        }
        for spec in _storages(app, alias)
    ]
    columns = [
        ("NAME", "name"),
        ("TYPE", "type"),
        ("READ-ONLY", "readOnly"),
        ("MOUNTED", "mountPath"),
    ]
    app.emit(rows, columns=columns, format=format_)


def _storages(app: App, alias: str | None) -> list[StorageSpec]:
    """Return the storages of the cluster and the attached ones; without one, those known here."""
    from openpai.core.config import attached_storages, load_clusters
    from openpai.storage.mounted import mounted_here

    attached = attached_storages()
    if alias is None and not load_clusters():
        known = {**mounted_here(), **attached}
        if known:
            return list(known.values())
    listed = app.cluster(alias).storages()
    names = {spec.name for spec in listed}
    return [*listed, *(spec for name, spec in attached.items() if name not in names)]


def _folder(spec: StorageSpec) -> str | None:
    """Return where a storage is reached on this machine, ``None`` where it is not."""
    from openpai.core.errors import OpenPaiError
    from openpai.core.storage import LocalStorage, open_storage

    try:
        with open_storage(spec) as storage:
            return str(storage.root) if isinstance(storage, LocalStorage) else None
    except (OSError, OpenPaiError):
        return None
