"""The command ``opai group create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.group._group import _acls, _warn_of_unknown, grants
from openpai.cli.framework import CliApp, command, explained, pass_app
from openpai.core.cli import cluster_option

if TYPE_CHECKING:
    pass

__all__ = [
    "create",
]


@command("create", examples="opai group create research --vc research --storage team-nfs")
@click.argument("name")
@grants
@cluster_option
@pass_app
def create(app: CliApp, /, *, name: str, alias: str | None, **given: Any) -> None:
    from openpai.core.rest import groups

    cluster = app.cluster(alias)
    _warn_of_unknown(app, cluster, given["virtual_clusters"])
    acls = {"admin": False, "virtualClusters": [], **_acls(**given)}
    with explained(cluster):
        groups.create_group(
            cluster.session,
            name,
            description=given["description"] or "",
            external_name=given["external_name"] or "",
            extension={"acls": acls},
        )
    app.note(f"Group '{name}' created.")
