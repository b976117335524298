"""The command ``opai group delete``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from openpai.cli.exceptions import UsageProblem
from openpai.cli.framework import CliApp, cluster_option, command, delete_each, pass_app, yes_option

if TYPE_CHECKING:
    pass

__all__ = [
    "delete",
]


@command("delete", examples="opai group delete research --yes")
@click.argument("names", nargs=-1, required=True)
@yes_option
@cluster_option
@click.pass_context
@pass_app
def delete(
    app: CliApp, context: click.Context, names: tuple[str, ...], yes: bool, alias: str | None
) -> None:
    """Delete groups (admins only).

    On some clusters users who are still in one can no longer use their tokens: look at
    opai group members first.
    """
    from openpai.core.rest import groups

    if not yes and not app.confirm(f"Delete {', '.join(names)}?"):
        raise UsageProblem("Nothing was deleted.", "Say yes, or give --yes.")
    cluster = app.cluster(alias)
    context.exit(
        delete_each(app, cluster, names, partial(groups.delete_group, cluster.session), "Group")
    )
