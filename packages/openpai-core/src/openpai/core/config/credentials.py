"""Storage of tokens and passwords: the system's keyring, or a file only the user can read.

``credentials.yaml`` (mode 0600) has for each cluster or storage either its secrets or their name in
the keyring. The default ``credentials`` chooses the place of new secrets: ``keyring``, ``file``, or
``auto``: the keyring if it works.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

from openpai.core.config import keyring as config_keyring
from openpai.core.config.files import read_yaml, update_yaml
from openpai.core.errors import ConfigError
from openpai.core.paths import home

__all__ = ["SECRETS", "StoredSecrets", "load_kept", "store_secrets"]

#: Keys of a cluster that are secrets; those of a storage depend on its type.
SECRETS = ("token", "password")
_KEYRING = "keyring"


@dataclass(frozen=True)
class StoredSecrets:
    """The stored secrets of one cluster or storage.

    Attributes:
        secrets: Key → secret, of those in the file.
        keyring: The name of the secrets in the keyring; ``""`` if it has none.
    """

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    keyring: str = ""

    def read(self) -> Mapping[str, str]:
        """Return the secrets from the file or the keyring.

        Raises:
            ConfigError: The keyring is locked, broken or does not answer.
        """
        return (
            {**config_keyring.read(self.keyring), **self.secrets} if self.keyring else self.secrets
        )


def credentials_file() -> Path:
    """Return the path of ``credentials.yaml``."""
    return home() / "credentials.yaml"


def load_kept() -> dict[str, StoredSecrets]:
    """Return the stored secrets by alias, without reading the keyring.

    Raises:
        ConfigError: The file cannot be read.
    """
    return {alias: _kept(raw) for alias, raw in read_yaml(credentials_file(), dict).items()}


def _kept(raw: Any) -> StoredSecrets:
    raw = raw if isinstance(raw, dict) else {}
    secrets = {key: str(raw[key]) for key in raw if key != _KEYRING and raw[key]}
    return StoredSecrets(secrets, str(raw.get(_KEYRING) or ""))


def store_secrets(alias: str, secrets: Mapping[str, str]) -> str:
    """Replace the secrets of a cluster; return where they are: ``keyring`` or the file's path.

    Raises:
        ConfigError: The file cannot be written, or the keyring is required and does not work.
    """
    secrets = {key: value for key, value in secrets.items() if value}
    before = load_kept().get(alias, StoredSecrets())
    name = _name(alias, before) if secrets and _wants_keyring() else ""
    if name:
        config_keyring.write(name, secrets)
    elif before.keyring:
        config_keyring.delete(before.keyring)
    entry = {_KEYRING: name} if name else secrets
    if entry or credentials_file().exists():
        _write(alias, entry)
    return _KEYRING if name else str(credentials_file())


def _write(alias: str, entry: Mapping[str, str]) -> None:
    def change(stored: dict[str, Any]) -> dict[str, Any]:
        stored[alias] = dict(entry)
        return {name: kept for name, kept in stored.items() if kept}

    update_yaml(credentials_file(), dict, change, mode=0o600)


def _name(alias: str, before: StoredSecrets) -> str:
    """Return a name in the keyring that no other configuration folder uses."""
    import secrets

    return before.keyring or f"{alias}-{secrets.token_hex(8)}"


def _wants_keyring() -> bool:
    from openpai.core.config.defaults import load_defaults

    choice = load_defaults().get("credentials")
    if choice == "auto":
        return config_keyring.is_available()
    if choice not in ("file", _KEYRING):
        raise ConfigError(
            f"Invalid default 'credentials': '{choice}'.", "Set it to auto, keyring or file."
        )
    return bool(choice == _KEYRING)
