"""Shared by the commands of ``opai local``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openpai.core.local import Running

__all__ = [
    "ALIAS",
]


ALIAS = "local"


def _own_entry() -> dict[str, Any]:
    """Return what is stored of the cluster 'local'.

    Raises:
        ConfigError: The alias stands for another cluster.
    """
    from openpai.core.config import load_clusters
    from openpai.core.errors import ConfigError

    entry = load_clusters().get(ALIAS)
    if entry is None:
        return {}
    if not entry.uri.startswith("http://127.0.0.1:"):
        raise ConfigError(
            f"The alias '{ALIAS}' already belongs to {entry.uri}.",
            f"Add that cluster under another alias, and run: opai cluster delete {ALIAS}",
        )
    return dict(entry.settings)


def _register(running: Running, settings: dict[str, Any]) -> None:
    from openpai.core.config import ClusterEntry, save_cluster

    entry = ClusterEntry(ALIAS, running.uri, running.user, token=running.token, settings=settings)
    save_cluster(entry)


def _is_selected() -> bool:
    from openpai.core.config import find_cluster
    from openpai.core.errors import ConfigError

    try:
        return find_cluster().alias == ALIAS
    except ConfigError:
        return False
