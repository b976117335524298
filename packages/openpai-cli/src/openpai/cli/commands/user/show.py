"""The command ``opai user show``."""

from __future__ import annotations

import click

from openpai.cli.commands.user._user import COLUMNS, row
from openpai.cli.framework import CliApp, cluster_option, command, format_option, pass_app

__all__ = [
    "show",
]


@command("show", examples="opai user show\nopai user show alice -o json")
@click.argument("name", required=False)
@cluster_option
@format_option
@pass_app
def show(app: CliApp, name: str | None, alias: str | None, format_: str) -> None:
    """Show what a user may use; without a name, you."""
    from openpai.core.rest import users

    cluster = app.cluster(alias)
    found = users.get_user(cluster.session, name or cluster.user)
    app.emit(row(found), columns=COLUMNS, format=format_)
