"""The command ``opai group show``."""

from __future__ import annotations

import click

from openpai.cli.commands.group._group import COLUMNS, row
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "show",
]


@command("show", examples="opai group show research")
@click.argument("name")
@cluster_option
@format_option
@pass_app
def show(app: CliApp, name: str, alias: str | None, format_: str) -> None:
    from openpai.core.rest import groups

    found = groups.get_group(app.cluster(alias).session, name)
    app.emit(row(found), columns=COLUMNS, format=format_)
