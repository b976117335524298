"""The command ``opai group show``."""

from __future__ import annotations

import click

from openpai.cli.commands.group._group import COLUMNS, row
from openpai.cli.framework import CliApp, cluster_option, command, format_option, pass_app

__all__ = [
    "show",
]


@command("show", examples="opai group show research")
@click.argument("name")
@cluster_option
@format_option
@pass_app
def show(app: CliApp, name: str, alias: str | None, format_: str) -> None:
    """Show what the users in a group may use."""
    from openpai.core.rest import groups

    found = groups.get_group(app.cluster(alias).session, name)
    app.emit(row(found), columns=COLUMNS, format=format_)
