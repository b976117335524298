"""The command ``opai group list``."""

from __future__ import annotations

from openpai.cli.commands.group._group import COLUMNS, row
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "list_groups",
]


@command("list", examples="opai group list\nopai group list -o json")
@cluster_option
@format_option
@pass_app
def list_groups(app: CliApp, alias: str | None, format_: str) -> None:
    from openpai.core.rest import groups

    found = groups.list_groups(app.cluster(alias).session)
    app.emit(map(row, found), columns=COLUMNS, format=format_)
