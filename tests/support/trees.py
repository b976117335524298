"""Trees of files: make one, and read one to compare."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Of files without a time of their own; whole seconds, which every storage keeps.
TIME = 1_000_000_000


def make_tree(
    root: Path, files: Mapping[str, bytes | int | None], seed: int = 0
) -> dict[str, bytes]:
    """Make a tree; return the contents of its files.

    Args:
        root: Its folder, which need not exist.
        files: From paths to contents: bytes, a size (random bytes), ``None`` (an empty folder).
        seed: Of the random bytes.
    """
    dice = random.Random(seed)
    root.mkdir(parents=True, exist_ok=True)
    made = {}
    for number, (name, content) in enumerate(files.items()):
        path = root / name
        if content is None:
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        made[name] = _random(dice, content) if isinstance(content, int) else content
        path.write_bytes(made[name])
        os.utime(path, (TIME + number, TIME + number))
    return made


def _random(dice: random.Random, size: int) -> bytes:
    return dice.getrandbits(8 * size).to_bytes(size, "little") if size else b""


def spread(sizes: Sequence[int]) -> dict[str, int]:
    """Return files of these sizes, in three folders and with names that need quoting."""
    return {f"d{number % 3}/file {number} ü": size for number, size in enumerate(sizes)}


def read_tree(root: Path) -> dict[str, bytes]:
    """Return the contents of the files of a tree, without those that are not whole yet."""
    from openpai.core.storage.temp_files import is_partial

    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not is_partial(path.name)
    }


def files(root: Path) -> list[str]:
    """Return the names of all files and empty folders."""
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() or not any(path.iterdir())
    )
