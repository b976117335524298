"""Read and write the configuration files: atomically, under a lock, never losing one.

A file that cannot be read is an error and is left as it is; nothing is ever written over it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from openpai.core.errors import ConfigError
from openpai.core.files import file_lock, write_file

__all__ = [
    "read_yaml",
    "update_yaml",
]


def read_yaml(path: Path, kind: type) -> Any:
    """Return what a YAML file holds; an empty ``kind()`` where there is no file or no content.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or does not hold a ``kind``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return kind()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(
            f"Cannot read {path}: {reason}.", "Mend the file or move it away."
        ) from None
    import yaml

    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it is not YAML"
        raise ConfigError(f"{path}{where}: {what}.", "Mend the file or move it away.") from None
    if content is None:
        return kind()
    if not isinstance(content, kind):
        expected = {"list": "a list", "dict": "a mapping"}[kind.__name__]
        raise ConfigError(f"{path} does not hold {expected}.", "Mend the file or move it away.")
    return content


def update_yaml(path: Path, kind: type, change: Callable[[Any], Any], *, mode: int = 0o644) -> Any:
    """Read, change and write one file under a lock; return what was written.

    Args:
        path: The file.
        kind: ``list`` or ``dict``.
        change: Takes the content and returns the new one.
        mode: Permission bits of the file; secrets ask for ``0o600``.

    Raises:
        ConfigError: The file cannot be read or written; then it is as it was.
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
            "Free or unlock the place, or name another with OPENPAI_HOME.",
        ) from None
    return content
