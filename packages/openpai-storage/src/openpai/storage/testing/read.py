"""Describe, list and read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from openpai.core.storage import Storage
from openpai.storage.testing.helpers import read, together, write

__all__ = ["ListContract", "ReadContract"]


class ReadContract:
    """``stat``, ``exists`` and ``open_read``."""

    def test_stat_of_a_file(self, storage: Storage) -> None:
        """A file is described by its path, size and time of change."""
        write(storage, "/a/file", b"12345")
        entry = storage.stat("/a/file")
        assert (entry.path, entry.name, entry.is_dir, entry.size) == ("/a/file", "file", False, 5)
        if entry.modified is not None:
            assert abs(datetime.now(timezone.utc) - entry.modified) < timedelta(hours=1)

    def test_stat_of_a_folder(self, storage: Storage) -> None:
        """A folder is described as one, of size 0; the root is a folder."""
        storage.mkdir("/a")
        assert (storage.stat("/a").is_dir, storage.stat("/a").size) == (True, 0)
        assert (storage.stat("/").is_dir, storage.stat("/").path) == (True, "/")

    @pytest.mark.parametrize("path", ["/none", "/none/below"])
    def test_stat_of_nothing(self, storage: Storage, path: str) -> None:
        """What does not exist is not found, and the error names it."""
        with pytest.raises(FileNotFoundError) as caught:
            storage.stat(path)
        assert path in str(caught.value.filename)
        assert not storage.exists(path)

    def test_nothing_exists_below_a_file(self, storage: Storage) -> None:
        """A path below a file does not exist."""
        write(storage, "/file")
        assert storage.exists("/file")
        assert not storage.exists("/file/below")

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [
            (0, None, b"0123456789"),
            (4, None, b"456789"),
            (2, 3, b"234"),
            (0, 3, b"012"),
            (0, 100, b"0123456789"),
            (50, 3, b""),
            (8, 100, b"89"),
            (0, 0, b""),
            (10, None, b""),
        ],
    )
    def test_ranges(
        self, storage: Storage, offset: int, length: int | None, expected: bytes
    ) -> None:
        """A range gives exactly its bytes, and ends where the file ends."""
        write(storage, "/file", b"0123456789")
        with storage.open_read("/file", offset, length) as stream:
            assert stream.read() == expected

    def test_read_fills_what_is_asked_for(self, storage: Storage) -> None:
        """``read(n)`` gives ``n`` bytes until the end, then fewer, then none."""
        content = bytes(range(256)) * 4096
        write(storage, "/big", content)
        with storage.open_read("/big") as stream:
            assert [len(stream.read(700_000)) for _ in range(3)] == [700_000, 348_576, 0]

    def test_stat_of_what_changed_since(self, storage: Storage) -> None:
        """A thread that read or wrote a file sees the later changes of another thread."""
        write(storage, "/file", b"old")
        together([lambda: write(storage, "/file", b"newer")])
        assert storage.stat("/file").size == 5
        assert read(storage, "/file") == b"newer"
        together([lambda: storage.delete("/file")])
        assert not storage.exists("/file")

    def test_open_nothing(self, storage: Storage) -> None:
        """A file that does not exist cannot be opened."""
        with pytest.raises(FileNotFoundError):
            storage.open_read("/none")

    def test_open_a_folder(self, storage: Storage) -> None:
        """A folder cannot be opened as a file."""
        storage.mkdir("/a")
        with pytest.raises(IsADirectoryError):
            storage.open_read("/a")


class ListContract:
    """``list`` and ``walk``."""

    def test_list_is_sorted_and_flat(self, storage: Storage) -> None:
        """A folder lists what is directly in it, sorted by name."""
        for path in ("/d/b", "/d/a/deep", "/d/c", "/other"):
            write(storage, path)
        found = [(entry.path, entry.is_dir) for entry in storage.list("/d")]
        assert found == [("/d/a", True), ("/d/b", False), ("/d/c", False)]

    def test_list_tells_what_stat_tells(self, storage: Storage) -> None:
        """Listed entries equal those of stat."""
        write(storage, "/d/file", b"123")
        storage.mkdir("/d/folder")
        assert [storage.stat(entry.path) for entry in storage.list("/d")] == list(
            storage.list("/d")
        )

    def test_list_an_empty_folder(self, storage: Storage) -> None:
        """An empty folder, such as the root of an empty storage, lists nothing."""
        assert list(storage.list("/")) == []

    def test_list_a_file(self, storage: Storage) -> None:
        """A file cannot be listed."""
        write(storage, "/file")
        with pytest.raises(NotADirectoryError):
            list(storage.list("/file"))

    def test_list_nothing(self, storage: Storage) -> None:
        """A folder that does not exist cannot be listed."""
        with pytest.raises(FileNotFoundError):
            list(storage.list("/none"))

    def test_walk(self, storage: Storage) -> None:
        """A walk yields each folder before what it holds."""
        write(storage, "/d/b/c/file")
        write(storage, "/d/a")
        found = [entry.path for entry in storage.walk("/d")]
        assert found == ["/d/a", "/d/b", "/d/b/c", "/d/b/c/file"]
