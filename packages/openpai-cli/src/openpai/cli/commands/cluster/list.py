"""``opai cluster add|list|show|select|delete``: the clusters that this machine knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import format_option

if TYPE_CHECKING:
    from openpai.core.config import ClusterEntry

LIST_COLUMNS = [
    ("ALIAS", "cluster_alias"),
    ("URI", "pai_uri"),
    ("USER", "user"),
    ("SELECTED", "selected"),
    ("LOGGED IN", "logged_in"),
]


@command("list", examples="opai cluster list\nopai cluster list -o json")
@format_option
@pass_app
def list_clusters(app: CliApp, format_: str) -> None:
    from openpai.core.config import load_clusters

    clusters = load_clusters()
    selected = _selected()
    rows = [
        {
            "cluster_alias": alias,
            "pai_uri": entry.uri,
            "user": entry.user,
            "selected": alias == selected,
            "logged_in": entry.logged_in,
        }
        for alias, entry in clusters.items()
    ]
    app.emit(rows, columns=LIST_COLUMNS, format=format_)
    if not rows:
        app.note("No clusters yet. Start one on this machine: opai local up")


def _selected() -> str | None:
    """Return the alias that is used when none is named."""
    from openpai.core.config import find_cluster
    from openpai.core.errors import ConfigError

    try:
        found: ClusterEntry = find_cluster()
    except ConfigError:
        return None
    return found.alias
