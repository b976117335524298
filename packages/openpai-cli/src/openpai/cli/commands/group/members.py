"""The command ``opai group members``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, explained, pass_app
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "members",
]


@command("members", examples="opai group members research -o name")
@click.argument("name")
@cluster_option
@format_option
@pass_app
def members(app: CliApp, name: str, alias: str | None, format_: str) -> None:
    from openpai.core.rest import groups

    cluster = app.cluster(alias)
    with explained(cluster):
        groups.get_group(cluster.session, name)  # the members of no group are an empty list, too
        found = groups.list_group_members(cluster.session, name)
    rows = [{"username": member.username, "admin": member.admin} for member in found]
    app.emit(rows, columns=[("USER", "username"), ("ADMIN", "admin")], format=format_)
