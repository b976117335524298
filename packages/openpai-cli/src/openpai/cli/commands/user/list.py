"""The command ``opai user list``."""

from __future__ import annotations

from openpai.cli.commands.user._user import COLUMNS, row
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "list_users",
]


@command("list", examples="opai user list\nopai user list -o json")
@cluster_option
@format_option
@pass_app
def list_users(app: CliApp, alias: str | None, format_: str) -> None:
    from openpai.core.rest import users

    found = users.list_users(app.cluster(alias).session)
    app.emit(map(row, found), columns=COLUMNS, format=format_)
