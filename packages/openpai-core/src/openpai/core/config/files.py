"""Read and update YAML configuration files, atomically and under a lock.

A file that cannot be read is an error and is never overwritten.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable

from openpai.core.errors import ConfigError
from openpai.core.files import file_lock, write_file

__all__ = [
    "check_name",
    "read_yaml",
    "update_yaml",
]


def check_name(what: str, name: str) -> None:
    """Check a name that the user chose.

    Raises:
        ConfigError: It has other characters than names may have.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ConfigError(
            f"Invalid {what} '{name}'.",
            "Use letters, digits, '.', '_' and '-', beginning with a letter or digit.",
        )


def read_yaml(path: Path, kind: type) -> Any:
    """Return the content of a YAML file; an empty ``kind()`` if it is missing or empty.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or is not a ``kind``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return kind()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(
            f"Cannot read {path}: {reason}.", "Correct the file or move it away."
        ) from None
    import yaml

    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it is not YAML"
        raise ConfigError(f"{path}{where}: {what}.", "Correct the file or move it away.") from None
    if content is None:
        return kind()
    if not isinstance(content, kind):
        expected = {"list": "a list", "dict": "a mapping"}[kind.__name__]
        raise ConfigError(f"{path} is not {expected}.", "Correct the file or move it away.")
    return content


def update_yaml(path: Path, kind: type, change: Callable[[Any], Any], *, mode: int = 0o644) -> Any:
    """Change a YAML file under a lock; return the new content.

    Args:
        path: The file.
        kind: ``list`` or ``dict``.
        change: Returns the new content for the old one.
        mode: Permission bits of the file.

    Raises:
        ConfigError: The file cannot be read or written; it is unchanged.
    """
    import yaml

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file_lock(path.parent / f".{path.name}.lock"):
            content = change(read_yaml(path, kind))
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            write_file(path, text, mode=mode)
    except OSError as error:
        raise ConfigError(
            f"Cannot write {path}: {error.strerror or error}.",
            "Free space there, or choose another folder with OPENPAI_HOME.",
        ) from None
    return content
