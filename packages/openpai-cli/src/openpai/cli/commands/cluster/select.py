"""The command ``opai cluster select``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import complete_clusters

__all__ = [
    "select",
]


@command("select", examples="opai cluster select prod")
@click.argument("alias", shell_complete=complete_clusters)
@click.option(
    "-g",
    "--is-global",
    is_flag=True,
    expose_value=False,
    hidden=True,
    help="Make this the default.",
)
@pass_app
def select(app: CliApp, alias: str) -> None:
    from openpai.core.config import select_cluster

    select_cluster(alias)
    app.note(f"'{alias}' is now the default cluster.")
