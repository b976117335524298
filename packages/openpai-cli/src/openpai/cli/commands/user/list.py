"""The command ``opai user list``."""

from __future__ import annotations

from openpai.cli.commands.user._user import COLUMNS, row
from openpai.cli.framework import CliApp, cluster_option, command, format_option, pass_app

__all__ = [
    "list_users",
]


@command("list", examples="opai user list\nopai user list -o json")
@cluster_option
@format_option
@pass_app
def list_users(app: CliApp, alias: str | None, format_: str) -> None:
    """List the users of a cluster."""
    from openpai.core.rest import users

    found = users.list_users(app.cluster(alias).session)
    app.emit(map(row, found), columns=COLUMNS, format=format_)
