"""The command ``opai user update``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, explained, pass_app
from openpai.core.cli import cluster_option

if TYPE_CHECKING:
    from openpai.core.client import Cluster

__all__ = [
    "update",
]


@command(
    "update",
    help="Virtual clusters and storages follow from groups: see opai group list.",
    examples="""
    opai user update alice --add-group research --remove-group guests
    opai user update alice --email alice@example.org --admin
    """,
)
@click.argument("name")
@click.option("--email", metavar="ADDRESS", help="E-mail address of the user.")
@click.option("--admin/--no-admin", default=None, help="Make the user an admin of the cluster.")
@click.option(
    "--add-group", metavar="GROUP", multiple=True, help="Group to add the user to (repeatable)."
)
@click.option(
    "--remove-group",
    metavar="GROUP",
    multiple=True,
    help="Group to remove the user from (repeatable).",
)
@cluster_option
@pass_app
def update(
    app: CliApp,
    /,
    *,
    name: str,
    email: str | None,
    admin: bool | None,
    add_group: tuple[str, ...],
    remove_group: tuple[str, ...],
    alias: str | None,
) -> None:
    from openpai.core.rest import users

    if email is None and admin is None and not add_group and not remove_group:
        raise UsageError("Nothing to change.", "See: opai user update --help")
    cluster = app.cluster(alias)
    session = cluster.session
    changes: list[tuple[str, Callable[[], None]]] = []
    if email is not None:
        changes.append(("email", partial(users.set_user_email, session, name, email)))
    if admin is not None:
        changes.append(("admin", partial(users.set_user_admin, session, name, admin)))
    for group in add_group:
        changes.append((f"+{group}", partial(users.add_user_to_group, session, name, group)))
    for group in remove_group:
        changes.append((f"-{group}", partial(users.remove_user_from_group, session, name, group)))
    _make(app, cluster, name, changes)


def _make(
    app: CliApp, cluster: Cluster, name: str, changes: list[tuple[str, Callable[[], None]]]
) -> None:
    """Make one change after the other; where one fails, say which were made before."""
    done: list[str] = []
    try:
        for what, change in changes:
            with explained(cluster):
                change()
            done.append(what)
    finally:
        if done:
            app.note(f"Changed user '{name}': {', '.join(done)}.")
