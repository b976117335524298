"""Lists of paths below a root: one in each line, odd ones as JSON text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterable

from openpai.core.errors import StorageError

__all__ = ["read_names", "write_names"]


def read_names(path: Path) -> list[str]:
    """Read the paths of a list.

    Raises:
        StorageError: The file cannot be read, or a line of it not be understood.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror}.") from None
    names = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            name = json.loads(line) if line.startswith('"') else line
        except ValueError:
            raise StorageError(
                f"{path}, line {number}: a line that begins with a quote must be JSON text.",
                "Write the path as JSON, or without a quote at its beginning.",
            ) from None
        if name:
            names.append(name)
    return names


def write_names(path: Path, names: Iterable[str]) -> None:
    """Write a list that :func:`read_names` reads; the root itself is ``.``.

    Raises:
        StorageError: It cannot be written.
    """
    from openpai.storage.cli._output import writing

    writing(path, (_line(name or ".") for name in names))


def _line(name: str) -> str:
    odd = name.startswith('"') or any(character in name for character in "\r\n\0")
    return json.dumps(name) if odd else name
