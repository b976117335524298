"""The clusters that the user knows: ``clusters.yaml`` and, apart and private, their secrets.

``clusters.yaml`` is a list of mappings and may be shared; the keys of the old SDK are read
(``cluster_alias``, ``pai_uri``, ``user``, ``info``, ``storages``, ``virtual_clusters``) and unknown
ones are kept. ``token`` and ``password`` found there are honoured, and moved to
``credentials.yaml`` (mode 0600) the next time the file is written.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Mapping

from openpai.core.config.files import home, read_yaml, update_yaml
from openpai.core.errors import ConfigError

__all__ = [
    "ClusterEntry",
    "delete_cluster",
    "find_cluster",
    "load_clusters",
    "save_cluster",
    "select_cluster",
]

_SECRETS = ("token", "password")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class ClusterEntry:
    """One cluster as this machine knows it.

    Attributes:
        alias: The user's own name for it.
        uri: Its address, without ``/rest-server``.
        user: The user's name there.
        token: A token, or ``""``; never shown by ``repr``.
        password: A password kept by the old SDK, or ``""``; never shown by ``repr``.
        settings: The entry as ``clusters.yaml`` has it, without secrets.
    """

    alias: str
    uri: str
    user: str = ""
    token: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mounts(self) -> dict[str, str]:
        """Where storages are mounted on this machine: storage name → folder."""
        storages = self.settings.get("storages") or []
        return {
            item["name"]: item["mount_path"]
            for item in storages
            if isinstance(item, dict) and item.get("name") and item.get("mount_path")
        }

    @classmethod
    def from_settings(cls, raw: Mapping[str, Any], secrets: Mapping[str, Any]) -> ClusterEntry:
        """Read one item of ``clusters.yaml`` and what ``credentials.yaml`` keeps for it."""
        known = {key: str(secrets.get(key) or raw.get(key) or "") for key in _SECRETS}
        return cls(
            alias=str(raw.get("cluster_alias") or raw.get("alias") or ""),
            uri=str(raw.get("pai_uri") or ""),
            user=str(raw.get("user") or ""),
            settings={key: value for key, value in raw.items() if key not in _SECRETS},
            **known,
        )

    def to_settings(self) -> dict[str, Any]:
        """Return the item for ``clusters.yaml``: everything but the secrets."""
        own = {"cluster_alias": self.alias, "pai_uri": self.uri, "user": self.user}
        return {**own, **self.settings, **own}


def _clusters_file() -> Path:
    return home() / "clusters.yaml"


def _credentials_file() -> Path:
    return home() / "credentials.yaml"


def load_clusters() -> dict[str, ClusterEntry]:
    """Return all known clusters by alias, in the order of the file.

    Raises:
        ConfigError: A file cannot be read, or an entry has no alias or no URI.
    """
    secrets = read_yaml(_credentials_file(), dict)
    found: dict[str, ClusterEntry] = {}
    for number, raw in enumerate(read_yaml(_clusters_file(), list), start=1):
        entry = _entry(raw, secrets)
        if not entry.alias or not entry.uri:
            raise ConfigError(
                f"{_clusters_file()}: entry {number} needs 'cluster_alias' and 'pai_uri'.",
                "Mend the entry or remove it.",
            )
        found[entry.alias] = entry
    return found


def _entry(raw: Any, secrets: Mapping[str, Any]) -> ClusterEntry:
    raw = raw if isinstance(raw, dict) else {}
    alias = str(raw.get("cluster_alias") or raw.get("alias") or "")
    kept = secrets.get(alias)
    return ClusterEntry.from_settings(raw, kept if isinstance(kept, dict) else {})


def find_cluster(alias: str | None = None) -> ClusterEntry:
    """Return one cluster: by alias, else ``$OPENPAI_CLUSTER``, else the selected or the only one.

    ``$OPENPAI_TOKEN`` stands in for the stored token.

    Raises:
        ConfigError: There is no such cluster, or none was chosen.
    """
    from openpai.core.config.defaults import load_defaults

    clusters = load_clusters()
    wanted = alias or os.environ.get("OPENPAI_CLUSTER") or load_defaults().get("cluster-alias")
    if not wanted and len(clusters) == 1:
        wanted = next(iter(clusters))
    if not wanted:
        raise _not_chosen(clusters)
    if wanted not in clusters:
        names = ", ".join(clusters) or "none"
        raise ConfigError(
            f"There is no cluster '{wanted}' (known: {names}).",
            "Add it with: opai cluster add ALIAS --pai-uri URI --user USER",
        )
    entry = clusters[wanted]
    token = os.environ.get("OPENPAI_TOKEN")
    return replace(entry, token=token) if token else entry


def _not_chosen(clusters: Mapping[str, ClusterEntry]) -> ConfigError:
    if clusters:
        return ConfigError(
            f"Several clusters are known ({', '.join(clusters)}) and none is selected.",
            "Name one with -a ALIAS, or run: opai cluster select ALIAS",
        )
    return ConfigError(
        "No cluster is known yet.",
        "Start one on this machine with: opai local up, "
        "or add yours: opai cluster add ALIAS --pai-uri URI --user USER",
    )


def save_cluster(entry: ClusterEntry) -> None:
    """Add a cluster, or replace the one of the same alias.

    Raises:
        ConfigError: The alias is not usable as a name, or a file cannot be written.
    """
    if not _ALIAS.fullmatch(entry.alias):
        raise ConfigError(
            f"'{entry.alias}' cannot be an alias.",
            "Use letters, digits, '.', '_' and '-', beginning with a letter or digit.",
        )
    load_clusters()  # never write beside a file that cannot be understood
    secrets = {key: getattr(entry, key) for key in _SECRETS if getattr(entry, key)}
    _store_secrets({entry.alias: secrets})

    def change(items: list[Any]) -> list[Any]:
        kept = [_without_secrets(item) for item in items]
        places = [i for i, item in enumerate(kept) if _alias(item) == entry.alias]
        if places:
            kept[places[0]] = entry.to_settings()
        else:
            kept.append(entry.to_settings())
        return kept

    update_yaml(_clusters_file(), list, change)


def delete_cluster(alias: str) -> None:
    """Forget a cluster and its secrets.

    Raises:
        ConfigError: There is no such cluster, or a file cannot be written.
    """
    if alias not in load_clusters():
        raise ConfigError(f"There is no cluster '{alias}'.", "See: opai cluster list")

    def change(items: list[Any]) -> list[Any]:
        return [_without_secrets(item) for item in items if _alias(item) != alias]

    update_yaml(_clusters_file(), list, change)
    _store_secrets({alias: {}})


def select_cluster(alias: str) -> None:
    """Make a cluster the one that is used when none is named.

    Raises:
        ConfigError: There is no such cluster, or the file cannot be written.
    """
    from openpai.core.config.defaults import set_default

    if alias not in load_clusters():
        raise ConfigError(f"There is no cluster '{alias}'.", "See: opai cluster list")
    set_default("cluster-alias", alias)


def _alias(item: Any) -> str:
    return str(item.get("cluster_alias") or item.get("alias")) if isinstance(item, dict) else ""


def _without_secrets(item: Any) -> Any:
    """Return an item as it should be written; its secrets go to the private file first."""
    if not isinstance(item, dict):
        return item
    secrets = {key: item[key] for key in _SECRETS if item.get(key)}
    if secrets:
        _store_secrets({_alias(item): secrets}, keep=True)
    return {key: value for key, value in item.items() if key not in _SECRETS}


def _store_secrets(secrets: Mapping[str, Mapping[str, str]], *, keep: bool = False) -> None:
    """Write the secrets of some clusters; with ``keep`` what is already stored wins."""

    def change(stored: dict[str, Any]) -> dict[str, Any]:
        for alias, values in secrets.items():
            before = stored.get(alias) if keep and isinstance(stored.get(alias), dict) else {}
            stored[alias] = {**values, **(before or {})}
        return {alias: values for alias, values in stored.items() if values}

    if any(secrets.values()) or _credentials_file().exists():
        update_yaml(_credentials_file(), dict, change, mode=0o600)
