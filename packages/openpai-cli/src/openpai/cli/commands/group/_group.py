"""``opai group list|show|members|create|update|delete``: what the users in a group may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpai.cli.framework import CliApp

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.rest import Group

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
            "--admin/--no-admin", default=None, help="Make the members admins of the cluster."
        ),
        click.option(
            "--storage",
            "storages",
            metavar="NAME",
            multiple=True,
            help="Storage of the members (repeatable); the first is their default.",
        ),
        click.option(
            "--vc",
            "virtual_clusters",
            metavar="NAME",
            multiple=True,
            help="Virtual cluster the members may submit to (repeatable).",
        ),
        click.option(
            "--external-name", metavar="NAME", help="Name of the group in the directory (OIDC)."
        ),
        click.option("--description", metavar="TEXT", help="Description of the group."),
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
