"""Find the files of an output's path or glob.

``*``, ``?`` and ``[…]`` match inside one part of a path and ``**`` any number of folders. Names
that begin with a dot are matched only by patterns that write the dot. A folder that matches, or
a trailing ``/**``, includes everything below it, hidden files too.

Links are followed while they lead to something inside the working directory.
"""

from __future__ import annotations

import os
import re
from fnmatch import translate
from pathlib import Path
from typing import Iterator

__all__ = ["Matches", "find"]


class Matches:
    """The files of one pattern.

    Attributes:
        files: Size in bytes of each regular file, by its path relative to the working directory.
        refused: Links that lead out of the working directory, or nowhere.
    """

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.refused: list[str] = []

    def add(self, path: str, size: int) -> None:
        """Add a file."""
        self.files[path] = size


def find(root: Path, pattern: str, found: Matches | None = None) -> Matches:
    """Find the files of a pattern below a folder, without special files.

    Args:
        root: The working directory.
        pattern: A path or glob relative to it.
        found: Collects the files, in no order; by default a new one.
    """
    found = found or Matches()
    walk = _Walk(os.path.realpath(root), found)
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    while parts and parts[-1] == "**":
        parts.pop()
    walk.descend("", parts, ())
    return found


class _Walk:
    def __init__(self, root: str, found: Matches) -> None:
        self.root = root
        self.found = found

    def descend(self, folder: str, parts: list[str], above: tuple[str, ...]) -> None:
        """Search ``folder`` for the remaining parts of the pattern.

        Args:
            folder: Relative to the root.
            parts: The remaining parts; empty for everything below.
            above: Real paths of the folders above, to detect loops of links.
        """
        real = os.path.realpath(self._place(folder))
        if real in above:
            return
        above = (*above, real)
        if parts and parts[0] == "**":
            self.descend(folder, parts[1:], above[:-1])
        for name in _names(real):
            rest = _rest(name, parts)
            if rest is None:
                continue
            path = f"{folder}/{name}" if folder else name
            if self._is_folder(path):
                self.descend(path, rest, above)
            elif not rest or os.path.isdir(self._place(path)):  # noqa: PTH112 - a link outside
                self._add(path)

    def _place(self, path: str) -> str:
        return os.path.join(self.root, path)  # noqa: PTH118 - called for every file

    def _is_folder(self, path: str) -> bool:
        return os.path.isdir(self._place(path)) and self._is_inside(path)  # noqa: PTH112

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(self._place(path))
        return real == self.root or real.startswith(self.root.rstrip("/") + "/")

    def _add(self, path: str) -> None:
        place = Path(self._place(path))
        if place.is_symlink() and not (self._is_inside(path) and place.exists()):
            if path not in self.found.refused:
                self.found.refused.append(path)
        elif place.is_file():
            self.found.add(path, place.stat().st_size)


def _names(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name
    except OSError:
        return  # deleted meanwhile, or not readable


def _rest(name: str, parts: list[str]) -> list[str] | None:
    """Return the rest of a pattern below a name; ``None`` if the name does not match."""
    if not parts:
        return []
    if parts[0] == "**":
        return None if name.startswith(".") else parts
    if name.startswith(".") and not parts[0].startswith("."):
        return None
    return parts[1:] if re.match(translate(parts[0]), name) else None
