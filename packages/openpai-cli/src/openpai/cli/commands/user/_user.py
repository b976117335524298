"""``opai user list|show|create|update|delete``: who may use a cluster, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from openpai.core.rest import User

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
    help="Virtual cluster the user may submit to (repeatable).",
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
