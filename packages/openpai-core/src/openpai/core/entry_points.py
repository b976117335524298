"""Entry points of installed distributions, read without ``importlib.metadata``.

Importing ``importlib.metadata`` takes longer than starting Python. This module reads the same
files, ``entry_points.txt`` in each ``*.dist-info`` folder, and uses the library only for archives
on ``sys.path``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Iterator, NamedTuple

__all__ = ["EntryPoint", "entry_points"]


class EntryPoint(NamedTuple):
    """An entry point of an installed distribution.

    Attributes:
        name: Its name.
        value: ``module:attribute``.
        distribution: The distribution.
    """

    name: str
    value: str
    distribution: str

    def load(self) -> Any:
        """Import the module and return the attribute.

        Raises:
            ImportError: The module or one of its imports is missing.
            AttributeError: The module lacks the attribute.
        """
        module, _, attribute = self.value.partition(":")
        found: Any = import_module(module)
        for part in filter(None, attribute.split(".")):
            found = getattr(found, part)
        return found


def entry_points(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of one group by name; the first on ``sys.path`` wins."""
    found: dict[str, EntryPoint] = {}
    for distribution, text in _entry_point_files():
        for name, value in _section(text, group):
            found.setdefault(name, EntryPoint(name, value, distribution))
    return found


def _entry_point_files() -> Iterator[tuple[str, str]]:
    """Yield (distribution, text of its entry_points.txt) for all of ``sys.path``."""
    for place in dict.fromkeys(sys.path):
        folder = Path(place or ".")
        try:
            is_archive = folder.is_file()  # a zipped application or wheel
            infos = sorted(folder.glob("*.dist-info"))
        except OSError:  # such as a folder without permission
            continue
        if is_archive:
            yield from _from_archive(place)
        for info in infos:
            try:
                text = (info / "entry_points.txt").read_text(encoding="utf-8")
            except OSError:
                continue
            yield info.name.split("-")[0].replace("_", "-"), text


def _from_archive(place: str) -> Iterator[tuple[str, str]]:
    from importlib.metadata import distributions

    for distribution in distributions(path=[place]):
        text = distribution.read_text("entry_points.txt")
        if text:
            yield distribution.metadata["Name"], text


def _section(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of one section of an entry_points.txt."""
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.split("[")[0].replace(" ", "")
