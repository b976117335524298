"""Shared by the commands of ``opai storage``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import click

from openpai.core.errors import StorageError


def write_line(row: dict[str, Any]) -> None:
    """Write one JSON line to stdout, to be read at once."""
    click.echo(json.dumps(row))


def files(count: int) -> str:
    """Write a number of files."""
    return f"{count} file" if count == 1 else f"{count} files"


def writing(path: Path, lines: Iterator[str]) -> int:
    """Write lines to a file of this machine; return how many.

    Raises:
        StorageError: It cannot be written.
    """
    count = 0
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape") as stream:
            for line in lines:
                stream.write(line + "\n")
                count += 1
    except OSError as error:
        raise StorageError(
            f"Cannot write {path}: {error.strerror}.", "Name another file."
        ) from None
    return count
