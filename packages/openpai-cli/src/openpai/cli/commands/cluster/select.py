"""The command ``opai cluster select``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, completion as _complete, pass_app

__all__ = [
    "select",
]


@command("select", examples="opai cluster select prod")
@click.argument("alias", shell_complete=_complete.clusters)
@click.option("-g", "--is-global", is_flag=True, expose_value=False, hidden=True, help="Always so.")
@pass_app
def select(app: CliApp, alias: str) -> None:
    """Use this cluster when none is named."""
    from openpai.core.config import select_cluster

    select_cluster(alias)
    app.note(f"'{alias}' is used from now on.")
