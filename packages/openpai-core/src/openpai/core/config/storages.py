"""Attached storages: ``storages.yaml``, and their secrets in a private place.

They are available with every cluster, and without one. ``storages.yaml`` is a list of mappings with
``name``, ``type``, and the keys of the type (``uri``, ``user``, ``mount_path``, …).
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Mapping

from openpai.core.config.credentials import StoredSecrets, load_kept, store_secrets
from openpai.core.config.files import check_name, read_yaml, update_yaml
from openpai.core.errors import ConfigError
from openpai.core.paths import home
from openpai.core.storage import StorageSpec

__all__ = [
    "attach_storage",
    "attached_storages",
    "detach_storage",
    "mounts_of_environment",
    "spec_of",
    "with_secrets",
]

_SPEC_KEYS = {"name", "type", "read_only", "mount_path"}


def spec_of(item: Mapping[str, Any]) -> StorageSpec:
    """Read one item of a list of storages; keys other than a spec's own are its data."""
    return StorageSpec(
        name=str(item["name"]),
        type=str(item["type"]),
        data={key: item[key] for key in item.keys() - _SPEC_KEYS},
        read_only=bool(item.get("read_only")),
        mount_path=item.get("mount_path"),
    )


def attached_storages() -> dict[str, StorageSpec]:
    """Return the attached storages by name, without secrets.

    Raises:
        ConfigError: The file cannot be read, or an item has no name or type.
    """
    found: dict[str, StorageSpec] = {}
    for number, item in enumerate(read_yaml(_file(), list), start=1):
        if not (isinstance(item, dict) and item.get("name") and item.get("type")):
            raise ConfigError(
                f"{_file()}: entry {number} needs 'name' and 'type'.",
                "Correct the entry or remove it.",
            )
        found[str(item["name"])] = spec_of(item)
    return found


def with_secrets(spec: StorageSpec) -> StorageSpec:
    """Return the spec of an attached storage with its secrets.

    Raises:
        ConfigError: They cannot be read, as with a locked keyring.
    """
    secrets = load_kept().get(_alias(spec.name), StoredSecrets()).read()
    return replace(spec, data={**spec.data, **secrets}) if secrets else spec


def attach_storage(spec: StorageSpec, secrets: Mapping[str, str]) -> str:
    """Attach or replace a storage; return where its secrets are stored.

    Raises:
        ConfigError: The name is invalid, or a file cannot be written.
    """
    check_name("storage name", spec.name)
    attached_storages()  # do not write over a file that cannot be read
    place = store_secrets(_alias(spec.name), secrets)
    item: dict[str, Any] = {"name": spec.name, "type": spec.type, **spec.data}
    item.update({"mount_path": spec.mount_path} if spec.mount_path else {})
    item.update({"read_only": True} if spec.read_only else {})

    def change(items: list[Any]) -> list[Any]:
        return [*(other for other in items if other.get("name") != spec.name), item]

    update_yaml(_file(), list, change)
    return place


def detach_storage(name: str) -> None:
    """Detach a storage and delete its secrets; its files are kept.

    Raises:
        ConfigError: It is not attached, or a file cannot be written.
    """
    if name not in attached_storages():
        raise ConfigError(
            f"Storage '{name}' is not attached.",
            "List them: opai storage list-storage",
        )
    store_secrets(_alias(name), {})
    update_yaml(_file(), list, lambda items: [i for i in items if i.get("name") != name])


def _file() -> Path:
    return home() / "storages.yaml"


def _alias(name: str) -> str:
    """Return the key of a storage's secrets; the alias of a cluster has no colon."""
    return f"storage:{name}"


def mounts_of_environment() -> dict[str, str]:
    """Read ``OPENPAI_STORAGES``: a JSON object of storage name → folder on this machine.

    Raises:
        ConfigError: It has another format.
    """
    text = os.environ.get("OPENPAI_STORAGES")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(
            "OPENPAI_STORAGES is not a JSON object of storage name to folder.",
            """Write it as {"NAME": "/FOLDER"}, or unset it.""",
        )
    return {str(name): str(folder) for name, folder in found.items()}
