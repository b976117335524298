"""``opai user list|show|create|update|delete``: who may use a cluster, and how."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._admin import delete_each, explained, new_password
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import cluster_option, format_option, yes_option

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.rest.users import User

COLUMNS = [
    ("USER", "username"),
    ("ADMIN", "admin"),
    ("EMAIL", "email"),
    ("GROUPS", "groups"),
    ("VIRTUAL CLUSTERS", "virtualClusters"),
    ("STORAGES", "storages"),
]

vc_option = click.option(
    "--vc",
    "virtual_clusters",
    metavar="NAME",
    multiple=True,
    help="A virtual cluster to submit to; may be repeated.",
)


def row(user: User) -> dict[str, Any]:
    """Return what may be shown of a user: ``extension`` may hold private keys."""
    return {
        "username": user.username,
        "admin": user.admin,
        "email": user.email or None,
        "groups": list(user.groups),
        "virtualClusters": list(user.virtual_clusters),
        "storages": list(user.storages),
    }


@command("list", examples="opai user list\nopai user list -o json")
@cluster_option
@format_option
@pass_app
def list_users(app: CliApp, alias: str | None, format_: str) -> None:
    """List the users of a cluster."""
    from openpai.core.rest import users

    found = users.list_users(app.cluster(alias).session)
    app.emit(map(row, found), columns=COLUMNS, format=format_)


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


@command(
    "create",
    examples="""
    opai user create alice --vc research                    # asks for the password
    pass show alice | opai user create alice --password-stdin
    """,
)
@click.argument("name")
@click.option("--email", default="", help="Where to write to the user.")
@click.option("--admin", is_flag=True, help="Let the user administer the cluster.")
@vc_option
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@cluster_option
@pass_app
def create(
    app: CliApp,
    /,
    *,
    name: str,
    email: str,
    admin: bool,
    virtual_clusters: tuple[str, ...],
    password_stdin: bool,
    alias: str | None,
) -> None:
    """Make a user (admins only).

    The server needs some seconds for it. Where its answer is lost, it is asked what it did.
    """
    from openpai.core.rest import users

    cluster = app.cluster(alias)
    password = new_password(app, name, stdin=password_stdin)
    with explained(cluster):
        users.create_user(
            cluster.session,
            name,
            password,
            email=email,
            admin=admin,
            virtual_clusters=virtual_clusters,
        )
    app.note(f"User '{name}' is made.")


@command(
    "update",
    examples="""
    opai user update alice --add-group research --remove-group guests
    opai user update alice --email alice@example.org --admin
    """,
)
@click.argument("name")
@click.option("--email", help="Where to write to the user.")
@click.option("--admin/--no-admin", default=None, help="Let the user administer the cluster.")
@click.option("--add-group", metavar="GROUP", multiple=True, help="May be repeated.")
@click.option("--remove-group", metavar="GROUP", multiple=True, help="May be repeated.")
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
    """Change a user (admins only; your own address yourself).

    Virtual clusters and storages follow from groups: see opai group list.
    """
    from openpai.core.rest import users

    if email is None and admin is None and not add_group and not remove_group:
        raise UsageProblem("Nothing is to be changed.", "See: opai user update --help")
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
            app.note(f"Changed of user '{name}': {', '.join(done)}.")


@command("delete", examples="opai user delete alice --yes")
@click.argument("names", nargs=-1, required=True)
@yes_option
@cluster_option
@click.pass_context
@pass_app
def delete(
    app: CliApp, context: click.Context, names: tuple[str, ...], yes: bool, alias: str | None
) -> None:
    """Delete users (admins only).

    Their jobs stay. An admin must lose that right first: opai user update NAME --no-admin.
    """
    from openpai.core.rest import users

    if not yes and not app.confirm(f"Delete {', '.join(names)}?"):
        raise UsageProblem("Nothing was deleted.", "Say yes, or give --yes.")
    cluster = app.cluster(alias)
    context.exit(
        delete_each(app, cluster, names, partial(users.delete_user, cluster.session), "User")
    )
