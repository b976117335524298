"""Move and delete."""

from __future__ import annotations

import errno

import pytest

from openpai.core.storage import Storage
from openpai.storage.testing.helpers import read, write

__all__ = ["ChangeContract"]


class ChangeContract:
    """``rename`` and ``delete``."""

    def test_rename_a_file(self, storage: Storage) -> None:
        """A file moves, also into folders that are yet to be made."""
        write(storage, "/a", b"x")
        storage.rename("/a", "/new/b")
        assert read(storage, "/new/b") == b"x"
        assert not storage.exists("/a")

    def test_rename_replaces_a_file(self, storage: Storage) -> None:
        """A file takes the place of another."""
        write(storage, "/a", b"x")
        write(storage, "/b", b"longer")
        storage.rename("/a", "/b")
        assert read(storage, "/b") == b"x"
        assert not storage.exists("/a")

    def test_rename_a_folder(self, storage: Storage) -> None:
        """A folder moves with all that it holds."""
        write(storage, "/a/b/c", b"x")
        storage.rename("/a", "/z")
        assert [entry.path for entry in storage.walk("/")] == ["/z", "/z/b", "/z/b/c"]

    def test_rename_nothing(self, storage: Storage) -> None:
        """What does not exist cannot move."""
        with pytest.raises(FileNotFoundError):
            storage.rename("/none", "/b")

    def test_rename_onto_a_folder(self, storage: Storage) -> None:
        """Neither a file nor a folder takes the place of a folder."""
        write(storage, "/file")
        write(storage, "/d/x")
        storage.mkdir("/empty")
        for source in ("/file", "/d"):
            with pytest.raises(FileExistsError):
                storage.rename(source, "/empty")
        assert storage.exists("/file")
        assert storage.exists("/d/x")

    def test_rename_a_folder_onto_a_file(self, storage: Storage) -> None:
        """A folder does not take the place of a file."""
        write(storage, "/file")
        storage.mkdir("/d")
        with pytest.raises(FileExistsError):
            storage.rename("/d", "/file")
        assert read(storage, "/file") == b"content"

    def test_rename_a_folder_into_itself(self, storage: Storage) -> None:
        """A folder cannot move into itself."""
        storage.mkdir("/d")
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is checked below
            storage.rename("/d", "/d/e/f")
        assert caught.value.errno == errno.EINVAL
        assert [entry.path for entry in storage.walk("/")] == ["/d"]

    def test_delete_a_file(self, storage: Storage) -> None:
        """A deleted file is gone, its folder stays."""
        write(storage, "/d/file")
        storage.delete("/d/file")
        assert [entry.path for entry in storage.walk("/")] == ["/d"]

    def test_delete_an_empty_folder(self, storage: Storage) -> None:
        """An empty folder can be deleted."""
        storage.mkdir("/d")
        storage.delete("/d")
        assert not storage.exists("/d")

    def test_delete_a_full_folder(self, storage: Storage) -> None:
        """A folder that holds something is deleted only if the caller says so."""
        write(storage, "/d/e/file")
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is checked below
            storage.delete("/d")
        assert caught.value.errno == errno.ENOTEMPTY
        assert storage.exists("/d/e/file")
        storage.delete("/d", recursive=True)
        assert not storage.exists("/d")

    def test_delete_nothing(self, storage: Storage) -> None:
        """What does not exist cannot be deleted."""
        with pytest.raises(FileNotFoundError):
            storage.delete("/none", recursive=True)

    def test_the_root_stays(self, storage: Storage) -> None:
        """The root can be neither deleted nor moved."""
        write(storage, "/file")
        with pytest.raises(PermissionError):
            storage.delete("/", recursive=True)
        with pytest.raises(PermissionError):
            storage.rename("/", "/elsewhere")
        assert storage.exists("/file")

    def test_copy(self, storage: Storage) -> None:
        """A file has its content under both names, each its own; a storage may decline."""
        write(storage, "/file", b"content")
        if not storage.copy("/file", "/deep/folder/copy"):
            assert not storage.exists("/deep/folder/copy")
            return
        assert read(storage, "/deep/folder/copy") == b"content"
        storage.delete("/file")
        assert read(storage, "/deep/folder/copy") == b"content"
