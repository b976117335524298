"""The command ``opai cluster delete``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import complete_clusters

__all__ = [
    "delete",
]


@command("delete", examples="opai cluster delete prod")
@click.argument("alias", shell_complete=complete_clusters)
@pass_app
def delete(app: CliApp, alias: str) -> None:
    from openpai.core.config import delete_cluster

    delete_cluster(alias)
    app.note(f"Deleted '{alias}'.")
