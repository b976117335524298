"""A folder storage, and a picture of a tree to compare with."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Callable

import pytest

from openpai.core.storage.local import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """Return an empty storage named ``main``."""
    root = tmp_path / "storage"
    root.mkdir()
    return LocalStorage(root, "main")


@pytest.fixture(scope="session")
def picture() -> Callable[[Path], dict[str, object]]:
    """Return a function from a folder to all that is to be kept of it.

    A file is (content, permission bits, microseconds of its last change), a folder is ``None``.
    """

    def look(root: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for path in root.rglob("*"):
            info = path.stat()
            name = os.fsdecode(path.relative_to(root))
            kept = path.is_file() and (
                path.read_bytes(),
                stat.S_IMODE(info.st_mode),
                info.st_mtime_ns // 1000,
            )
            found[name] = kept or None
        return found

    return look
