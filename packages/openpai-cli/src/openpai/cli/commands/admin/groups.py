"""``opai group list|show|members|create|update|delete``: what the users in a group may use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpai.cli._admin import delete_each, explained
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import cluster_option, format_option, yes_option

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.rest.groups import Group

F = TypeVar("F", bound=Callable[..., Any])

COLUMNS = [
    ("GROUP", "groupname"),
    ("ADMIN", "admin"),
    ("VIRTUAL CLUSTERS", "virtualClusters"),
    ("STORAGES", "storages"),
    ("DESCRIPTION", "description"),
    ("EXTERNAL NAME", "externalName"),
]


def grants(function: F) -> F:
    """The options that say what a group is and what its members may use."""
    for option in (
        click.option(
            "--admin/--no-admin", default=None, help="Let members administer the cluster."
        ),
        click.option(
            "--storage",
            "storages",
            metavar="NAME",
            multiple=True,
            help="A storage of its members, the first being their default; may be repeated.",
        ),
        click.option(
            "--vc",
            "virtual_clusters",
            metavar="NAME",
            multiple=True,
            help="A virtual cluster that members may submit to; may be repeated.",
        ),
        click.option("--external-name", metavar="NAME", help="Its name in the directory (OIDC)."),
        click.option("--description", metavar="TEXT", help="What it is for."),
    ):
        function = option(function)
    return function


def row(group: Group) -> dict[str, Any]:
    """Return what is shown of a group."""
    return {
        "groupname": group.name,
        "admin": group.admin,
        "virtualClusters": list(group.virtual_clusters),
        "storages": list(group.storages),
        "description": group.description,
        "externalName": group.external_name,
    }


@command("list", examples="opai group list\nopai group list -o json")
@cluster_option
@format_option
@pass_app
def list_groups(app: CliApp, alias: str | None, format_: str) -> None:
    """List the groups of a cluster."""
    from openpai.core.rest import groups

    found = groups.list_groups(app.cluster(alias).session)
    app.emit(map(row, found), columns=COLUMNS, format=format_)


@command("show", examples="opai group show research")
@click.argument("name")
@cluster_option
@format_option
@pass_app
def show(app: CliApp, name: str, alias: str | None, format_: str) -> None:
    """Show what the users in a group may use."""
    from openpai.core.rest import groups

    found = groups.get_group(app.cluster(alias).session, name)
    app.emit(row(found), columns=COLUMNS, format=format_)


@command("members", examples="opai group members research -o name")
@click.argument("name")
@cluster_option
@format_option
@pass_app
def members(app: CliApp, name: str, alias: str | None, format_: str) -> None:
    """List the users in a group (admins only)."""
    from openpai.core.rest import groups

    cluster = app.cluster(alias)
    with explained(cluster):
        groups.get_group(cluster.session, name)  # the members of no group are an empty list, too
        found = groups.list_group_members(cluster.session, name)
    rows = [{"username": member.username, "admin": member.admin} for member in found]
    app.emit(rows, columns=[("USER", "username"), ("ADMIN", "admin")], format=format_)


@command("create", examples="opai group create research --vc research --storage team-nfs")
@click.argument("name")
@grants
@cluster_option
@pass_app
def create(app: CliApp, /, *, name: str, alias: str | None, **given: Any) -> None:
    """Make a group (admins only)."""
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
    app.note(f"Group '{name}' is made.")


@command(
    "update",
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
    """Change a group (admins only).

    What is named is replaced, the rest stays as it is.
    """
    from openpai.core.rest import groups

    changes = {
        key: given[option]
        for key, option in (("description", "description"), ("externalName", "external_name"))
        if given[option] is not None
    }
    acls = _acls(**given)
    if not changes and not acls:
        raise UsageProblem("Nothing is to be changed.", "See: opai group update --help")
    cluster = app.cluster(alias)
    _warn_of_unknown(app, cluster, given["virtual_clusters"])
    with explained(cluster):
        if acls:
            before = groups.get_group(cluster.session, name).acls
            changes["extension"] = {"acls": {**before, **acls}}
        groups.update_group(cluster.session, name, **changes)
    app.note(f"Group '{name}' is changed.")


def _warn_of_unknown(app: CliApp, cluster: Cluster, names: tuple[str, ...]) -> None:
    """Servers take any name: the virtual cluster may be made later, or be misspelled."""
    known = cluster.virtual_clusters() if names else {}
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            app.note(f"opai: warning: there is no virtual cluster '{name}' (there is: {there}).")


def _acls(
    *, admin: bool | None, virtual_clusters: tuple[str, ...], storages: tuple[str, ...], **_: Any
) -> dict[str, Any]:
    """Return the server's keys for what was named."""
    acls: dict[str, Any] = {} if admin is None else {"admin": admin}
    if virtual_clusters:
        acls["virtualClusters"] = list(virtual_clusters)
    if storages:
        acls["storageConfigs"] = list(storages)
    return acls


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
