"""The command ``opai user show``."""

from __future__ import annotations

import click

from openpai.cli.commands.user._user import COLUMNS, row
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "show",
]


@command("show", examples="opai user show\nopai user show alice -o json")
@click.argument("name", required=False)
@cluster_option
@format_option
@pass_app
def show(app: CliApp, name: str | None, alias: str | None, format_: str) -> None:
    from openpai.core.rest import users

    cluster = app.cluster(alias)
    found = users.get_user(cluster.session, name or cluster.user)
    app.emit(row(found), columns=COLUMNS, format=format_)
