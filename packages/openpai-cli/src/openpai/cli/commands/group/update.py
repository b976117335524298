"""The command ``opai group update``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.group._group import _acls, _warn_of_unknown, grants
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, explained, pass_app
from openpai.core.cli import cluster_option

if TYPE_CHECKING:
    pass

__all__ = [
    "update",
]


@command(
    "update",
    help="Replaces the values that are given; the others stay as they are.",
    examples="""
    opai group update research --vc research --vc shared     # all of them: replaces what was
    opai group update research --description 'GPU research'
    """,
)
@click.argument("name")
@grants
@cluster_option
@pass_app
def update(app: CliApp, /, *, name: str, alias: str | None, **given: Any) -> None:
    from openpai.core.rest import groups

    changes = {
        key: given[option]
        for key, option in (("description", "description"), ("externalName", "external_name"))
        if given[option] is not None
    }
    acls = _acls(**given)
    if not changes and not acls:
        raise UsageError("Nothing to change.", "See: opai group update --help")
    cluster = app.cluster(alias)
    _warn_of_unknown(app, cluster, given["virtual_clusters"])
    with explained(cluster):
        if acls:
            before = groups.get_group(cluster.session, name).acls
            changes["extension"] = {"acls": {**before, **acls}}
        groups.update_group(cluster.session, name, **changes)
    app.note(f"Group '{name}' changed.")
