"""The command ``opai cluster select``."""

from __future__ import annotations

import click

from openpai.cli.framework import completion as _complete
from openpai.cli.framework.app import CliApp, pass_app
from openpai.cli.framework.groups import command

__all__ = [
    "select",
]


@command("select", examples="opai cluster select prod")
@click.argument("alias", shell_complete=_complete.clusters)
@click.option("-g", "--is-global", is_flag=True, expose_value=False, hidden=True, help="Always so.")
@pass_app
def select(app: CliApp, alias: str) -> None:
    """Use this cluster when none is named."""
    from openpai.core.config.clusters import select_cluster

    select_cluster(alias)
    app.note(f"'{alias}' is used from now on.")
