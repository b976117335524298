"""The configured clusters: ``clusters.yaml``, and their secrets in a private place.

``clusters.yaml`` is a list of mappings and may be shared; the keys of the old SDK are read
(``cluster_alias``, ``pai_uri``, ``user``, ``info``, ``storages``, ``virtual_clusters``) and unknown
ones are kept. ``token`` and ``password`` in it are used, and moved to the credentials
(:mod:`openpai.core.config.credentials`) when the file is next written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Mapping

from openpai.core.config.credentials import SECRETS, StoredSecrets, load_kept, store_secrets
from openpai.core.config.files import check_name, read_yaml, update_yaml
from openpai.core.config.storages import spec_of
from openpai.core.errors import ConfigError
from openpai.core.paths import home
from openpai.core.storage import StorageSpec

__all__ = [
    "ClusterEntry",
    "delete_cluster",
    "find_cluster",
    "load_clusters",
    "save_cluster",
    "select_cluster",
    "store_token",
]


@dataclass(frozen=True)
class ClusterEntry:
    """The configuration of one cluster.

    Attributes:
        alias: The name on this machine.
        uri: Its address, without ``/rest-server``.
        user: The user's name on the cluster.
        token: A token, or ``""``; never shown by ``repr``.
        password: A password, or ``""``; never shown by ``repr``.
        settings: The entry in ``clusters.yaml`` without secrets.
        in_keyring: Whether the keyring has secrets that were not read.
    """

    alias: str
    uri: str
    user: str = ""
    token: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    in_keyring: bool = False

    @property
    def logged_in(self) -> bool:
        """Whether there is a token or password, valid or not."""
        return bool(self.token or self.password or self.in_keyring)

    @property
    def mounts(self) -> dict[str, str]:
        """Mounted storages of this machine: storage name → folder."""
        storages = self.settings.get("storages") or []
        return {
            item["name"]: item["mount_path"]
            for item in storages
            if isinstance(item, dict) and item.get("name") and item.get("mount_path")
        }

    @property
    def addresses(self) -> dict[str, dict[str, Any]]:
        """Overrides of the addresses of storages that the cluster lists.

        Items with a ``name`` and no ``type``: their other keys replace those of the server, such as
        an ``endpoint`` behind a proxy.
        """
        storages = self.settings.get("storages") or []
        return {
            item["name"]: dict(spec_of({**item, "type": ""}).data)
            for item in storages
            if isinstance(item, dict) and item.get("name") and not item.get("type")
        }

    @property
    def attached(self) -> list[StorageSpec]:
        """Storages that the cluster does not list: items with a ``name`` and a ``type``.

        Their other keys are the storage's address (``uri``, ``user``, …).
        """
        storages = self.settings.get("storages") or []
        return [
            spec_of(item)
            for item in storages
            if isinstance(item, dict) and item.get("name") and item.get("type")
        ]

    @classmethod
    def from_settings(cls, raw: Mapping[str, Any], kept: StoredSecrets) -> ClusterEntry:
        """Read one item of ``clusters.yaml`` with its secrets."""
        known = {key: str(kept.secrets.get(key) or raw.get(key) or "") for key in SECRETS}
        return cls(
            alias=str(raw.get("cluster_alias") or raw.get("alias") or ""),
            uri=str(raw.get("pai_uri") or ""),
            user=str(raw.get("user") or ""),
            settings={key: value for key, value in raw.items() if key not in SECRETS},
            in_keyring=bool(kept.keyring),
            **known,
        )

    def to_settings(self) -> dict[str, Any]:
        """Return the item for ``clusters.yaml``, without secrets."""
        own = {"cluster_alias": self.alias, "pai_uri": self.uri, "user": self.user}
        return {**own, **self.settings, **own}


def _clusters_file() -> Path:
    return home() / "clusters.yaml"


def load_clusters() -> dict[str, ClusterEntry]:
    """Return all clusters by alias, in the order of the file, without reading the keyring.

    Raises:
        ConfigError: A file cannot be read, or an entry has no alias or URI.
    """
    kept = load_kept()
    found: dict[str, ClusterEntry] = {}
    for number, item in enumerate(read_yaml(_clusters_file(), list), start=1):
        raw = item if isinstance(item, dict) else {}
        entry = ClusterEntry.from_settings(raw, kept.get(_alias(raw), StoredSecrets()))
        if not entry.alias or not entry.uri:
            raise ConfigError(
                f"{_clusters_file()}: entry {number} needs 'cluster_alias' and 'pai_uri'.",
                "Correct the entry or remove it.",
            )
        found[entry.alias] = entry
    return found


def find_cluster(alias: str | None = None, *, environment: bool = True) -> ClusterEntry:
    """Return one cluster: by alias, else ``$OPENPAI_CLUSTER``, else the selected or the only one.

    ``$OPENPAI_TOKEN`` replaces the stored secrets, which are not read then. With several clusters
    use ``environment=False``: that token is for one of them only.

    Raises:
        ConfigError: There is no such cluster, none is selected, or the keyring is locked.
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
            f"Unknown cluster '{wanted}' (known: {names}).",
            "Add it with: opai cluster add ALIAS --pai-uri URI --user USER",
        )
    entry = clusters[wanted]
    token = os.environ.get("OPENPAI_TOKEN") if environment else ""
    if token:
        return replace(entry, token=token)
    if entry.in_keyring:
        secrets = load_kept()[wanted].read()
        token, password = (secrets.get(key, "") for key in SECRETS)
        return replace(entry, in_keyring=False, token=token, password=password)
    return entry


def _not_chosen(clusters: Mapping[str, ClusterEntry]) -> ConfigError:
    if clusters:
        return ConfigError(
            f"Several clusters are configured ({', '.join(clusters)}) and none is selected.",
            "Name one with -a ALIAS, or run: opai cluster select ALIAS",
        )
    return ConfigError(
        "No cluster is configured.",
        "Start one on this machine with: opai local up, "
        "or add yours: opai cluster add ALIAS --pai-uri URI --user USER",
    )


def save_cluster(entry: ClusterEntry) -> str:
    """Add or replace a cluster; return where its secrets are stored.

    Raises:
        ConfigError: The alias is invalid, or a file cannot be written.
    """
    check_name("alias", entry.alias)
    load_clusters()  # do not write over a file that cannot be read
    place = "keyring"
    if not entry.in_keyring:
        place = store_secrets(entry.alias, {key: getattr(entry, key) for key in SECRETS})

    def change(items: list[Any]) -> list[Any]:
        kept = [_without_secrets(item) for item in items]
        places = [i for i, item in enumerate(kept) if _alias(item) == entry.alias]
        if places:
            kept[places[0]] = entry.to_settings()
        else:
            kept.append(entry.to_settings())
        return kept

    update_yaml(_clusters_file(), list, change)
    return place


def store_token(alias: str, token: str) -> None:
    """Store a new token of a cluster, keeping its other secrets.

    Raises:
        ConfigError: There is no such cluster, or its secrets cannot be written.
    """
    if alias not in load_clusters():
        raise ConfigError(f"Unknown cluster '{alias}'.", "See: opai cluster list")
    store_secrets(alias, {**load_kept().get(alias, StoredSecrets()).read(), "token": token})


def delete_cluster(alias: str) -> None:
    """Delete a cluster and its secrets.

    Raises:
        ConfigError: There is no such cluster, or a file cannot be written.
    """
    if alias not in load_clusters():
        raise ConfigError(f"Unknown cluster '{alias}'.", "See: opai cluster list")

    def change(items: list[Any]) -> list[Any]:
        return [_without_secrets(item) for item in items if _alias(item) != alias]

    store_secrets(alias, {})
    update_yaml(_clusters_file(), list, change)


def select_cluster(alias: str) -> None:
    """Select the cluster that is used by default.

    Raises:
        ConfigError: There is no such cluster, or the file cannot be written.
    """
    from openpai.core.config.defaults import set_default

    if alias not in load_clusters():
        raise ConfigError(f"Unknown cluster '{alias}'.", "See: opai cluster list")
    set_default("cluster-alias", alias)


def _alias(item: Any) -> str:
    return str(item.get("cluster_alias") or item.get("alias")) if isinstance(item, dict) else ""


def _without_secrets(item: Any) -> Any:
    """Store the secrets of an item; return the item without them."""
    if not isinstance(item, dict):
        return item
    secrets = {key: str(item[key]) for key in SECRETS if item.get(key)}
    if secrets and _alias(item) not in load_kept():  # stored secrets are newer
        store_secrets(_alias(item), secrets)
    return {key: value for key, value in item.items() if key not in SECRETS}
