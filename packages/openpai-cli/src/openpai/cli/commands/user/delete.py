"""The command ``opai user delete``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, delete_each, pass_app, yes_option
from openpai.core.cli import cluster_option

if TYPE_CHECKING:
    pass

__all__ = [
    "delete",
]


@command(
    "delete",
    help="Their jobs are kept. Remove the admin right first: opai user update NAME --no-admin.",
    examples="opai user delete alice --yes",
)
@click.argument("names", nargs=-1, required=True)
@yes_option
@cluster_option
@click.pass_context
@pass_app
def delete(
    app: CliApp, context: click.Context, names: tuple[str, ...], yes: bool, alias: str | None
) -> None:
    from openpai.core.rest import users

    if not yes and not app.confirm(f"Delete {', '.join(names)}?"):
        raise UsageError("Nothing was deleted.", "Answer yes, or use --yes.")
    cluster = app.cluster(alias)
    context.exit(
        delete_each(app, cluster, names, partial(users.delete_user, cluster.session), "User")
    )
