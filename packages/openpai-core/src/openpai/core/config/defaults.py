"""Layered defaults of options.

From weak to strong: built in, ``~/.openpai/defaults.yaml``, ``./.openpai/defaults.yaml``. The file
of a folder comes with code of others, so it may not choose the server or what is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from openpai.core.config.files import read_yaml, update_yaml
from openpai.core.errors import ConfigError
from openpai.core.paths import home
from openpai.core.suggestions import did_you_mean

__all__ = [
    "KEYS",
    "Defaults",
    "Key",
    "default_for_user",
    "load_defaults",
    "load_layers",
    "set_default",
    "unset_default",
]


@dataclass(frozen=True)
class Key:
    """A default that can be set.

    Attributes:
        built_in: The value when no file has one.
        in_folder: Whether ``./.openpai/defaults.yaml`` may set it.
        help: Its description.
    """

    built_in: Any
    in_folder: bool
    help: str

    @property
    def is_list(self) -> bool:
        """Whether the values of all layers are joined."""
        return isinstance(self.built_in, list)


KEYS: Mapping[str, Key] = {
    "cluster-alias": Key(None, False, "the cluster used when none is named (-a)"),
    "virtual-cluster": Key(None, True, "the virtual cluster jobs are submitted to (--vc)"),
    "storage-alias": Key(None, True, "the storage used when none is named (-s)"),
    "workspace": Key(None, True, "the workspace of submitted jobs, NAME:/PATH (-w)"),
    "image": Key(None, True, "the image of 'job sub' (-i)"),
    "cpu": Key(2, True, "CPUs of each instance"),
    "gpu": Key(0, True, "GPUs of each instance"),
    "memoryMB": Key(4096, True, "memory of each instance in MiB"),
    "mem": Key(None, True, "memory of each instance with a unit, such as 8g; wins over memoryMB"),
    "sources": Key([], True, "files and folders of code to upload (--src)"),
    "source-limit": Key(100, True, "maximum size in MiB of a code file that is not named itself"),
    "pip-installs": Key([], False, "packages installed in the container (--pip)"),
    "credentials": Key("auto", False, "where tokens are kept: keyring, file, or auto"),
}


@dataclass(frozen=True)
class Defaults:
    """The effective values and their origins.

    Attributes:
        values: Key → value.
        origins: Key → ``built-in`` or the path of the strongest file that sets it.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, str]

    def get(self, key: str) -> Any:
        """Return the effective value."""
        return self.values[key]


def _user_file() -> Path:
    return home() / "defaults.yaml"


def _folder_file() -> Path:
    return Path(".openpai") / "defaults.yaml"


def load_layers() -> list[tuple[str, dict[str, Any]]]:
    """Return the layers, weakest first: (``built-in`` or a file's path, values).

    Raises:
        ConfigError: A file cannot be read, or the folder's sets a key that it may not.
    """
    layers = [("built-in", {name: key.built_in for name, key in KEYS.items()})]
    user, folder = _user_file(), _folder_file()
    for path in [user] if folder.resolve() == user.resolve() else [user, folder]:
        # Keys of another version stay in the file and are not used.
        found = {name: value for name, value in read_yaml(path, dict).items() if name in KEYS}
        for name in found if path is folder else ():
            if not KEYS[name].in_folder:
                raise ConfigError(
                    f"{path} sets '{name}', which a folder's defaults may not do.",
                    f"Remove the line, and run: opai set {name}=… to set it for yourself.",
                )
        layers.append((str(path), found))
    return layers


def load_defaults() -> Defaults:
    """Return the effective defaults.

    Raises:
        ConfigError: A file cannot be read, or the folder's sets a key that it may not.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in load_layers():
        for name, value in layer.items():
            before = values.get(name) or []
            values[name] = [*before, *_as_list(value)] if KEYS[name].is_list else value
            origins[name] = origin
    return Defaults(values, origins)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def default_for_user(name: str, *, in_folder: bool = False) -> Any:
    """Return the value in one layer; ``None``, or an empty list, if it is not set there.

    Raises:
        ConfigError: The key is unknown, or the file cannot be read.
    """
    key = _known(name)
    path = _folder_file() if in_folder else _user_file()
    value = read_yaml(path, dict).get(name)
    return _as_list([] if value is None else value) if key.is_list else value


def set_default(name: str, value: Any, *, in_folder: bool = False) -> None:
    """Set one default for the user, or for the current folder.

    Raises:
        ConfigError: The key is unknown or not permitted in a folder, or the file cannot be written.
    """
    key = _known(name)
    if in_folder and not key.in_folder:
        raise ConfigError(f"A folder's defaults may not set '{name}'.", "Set it for yourself: -g")
    value = _as_list(value) if key.is_list else _typed(name, key, value)
    path = _folder_file() if in_folder else _user_file()
    update_yaml(path, dict, lambda content: {**content, name: value})


def unset_default(name: str, *, in_folder: bool = False) -> bool:
    """Remove one default; return whether there was one.

    Raises:
        ConfigError: The key is unknown, or the file cannot be read or written.
    """
    _known(name)
    path = _folder_file() if in_folder else _user_file()
    if name not in read_yaml(path, dict):
        return False
    update_yaml(path, dict, lambda content: {k: v for k, v in content.items() if k != name})
    return True


def _known(name: str) -> Key:
    if name not in KEYS:
        hint = did_you_mean(name, KEYS) or f"Known: {', '.join(KEYS)}."
        raise ConfigError(f"Unknown default '{name}'.", hint)
    return KEYS[name]


def _typed(name: str, key: Key, value: Any) -> Any:
    if not isinstance(key.built_in, int):
        return value
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise ConfigError(f"Invalid default '{name}': '{value}' is not a whole number.")
    return number
