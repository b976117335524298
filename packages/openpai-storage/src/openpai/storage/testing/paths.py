"""Odd names, and no way out."""

from __future__ import annotations

from typing import Callable

import pytest

from openpai.core.errors import StorageError
from openpai.core.storage import Storage
from openpai.storage.testing.helpers import read, write

__all__ = ["PathContract"]

#: Names that have broken other tools; every storage must hold them side by side.
ODD_NAMES = (
    "a b",
    "a%20b",
    "a+b",
    "a#b?c&d=e",
    "-rf",
    "~",
    "$HOME",
    "'quoted' \"twice\"",
    ".hidden",
    "ünïcödé",
    "文件",
    "😀",
    "a;b",
    "[x]*",
    "x" * 200,
)


class PathContract:
    """Paths: odd names, and no way out."""

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names(self, storage: Storage, name: str) -> None:
        """A name comes back as it was given, as a file and as a folder."""
        write(storage, f"/d/{name}/{name}", b"x")
        assert read(storage, f"/d/{name}/{name}") == b"x"
        assert [entry.name for entry in storage.list("/d")] == [name]
        storage.rename(f"/d/{name}", f"/e/{name}")
        storage.delete(f"/e/{name}", recursive=True)
        assert list(storage.list("/e")) == []

    def test_paths_are_normalized(self, storage: Storage) -> None:
        """Doubled and trailing slashes, ``.`` and inner ``..`` mean nothing of their own."""
        write(storage, "a//b/./c/../file", b"x")
        assert read(storage, "/a/b/file") == b"x"
        assert [entry.path for entry in storage.list("a/b/")] == ["/a/b/file"]

    @pytest.mark.parametrize(
        "act",
        [
            lambda storage: storage.stat("../x"),
            lambda storage: list(storage.list("/a/../..")),
            lambda storage: storage.open_read("../x"),
            lambda storage: write(storage, "../x"),
            lambda storage: storage.mkdir("../x"),
            lambda storage: storage.rename("/a", "../x"),
            lambda storage: storage.delete("../x"),
        ],
    )
    def test_no_path_leaves_the_storage(
        self, storage: Storage, act: Callable[[Storage], object]
    ) -> None:
        """``..`` above the root is refused everywhere."""
        write(storage, "/a")
        with pytest.raises(StorageError, match="leaves the storage"):
            act(storage)

    def test_repr_and_where(self, storage: Storage) -> None:
        """A storage shows its name, and a path with it."""
        assert storage.name in repr(storage)
        assert storage.where("a/b").endswith("/a/b")
