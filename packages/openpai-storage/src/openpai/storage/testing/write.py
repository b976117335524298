"""Write files and make folders."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from openpai.core.storage import Storage
from openpai.storage.testing.helpers import BrokenOffError, break_off, read, together, write

__all__ = ["WriteContract"]


class WriteContract:
    """``open_write`` and ``mkdir``."""

    def test_missing_parents_are_made(self, storage: Storage) -> None:
        """Writing a file makes the folders above it."""
        write(storage, "/a/b/c", b"x")
        assert read(storage, "/a/b/c") == b"x"

    def test_an_empty_file(self, storage: Storage) -> None:
        """A file without content exists and is empty."""
        write(storage, "/empty", b"")
        assert (storage.stat("/empty").size, read(storage, "/empty")) == (0, b"")

    def test_a_file_appears_only_when_whole(self, storage: Storage) -> None:
        """Nothing is under the name until the block ends."""
        with storage.open_write("/file") as stream:
            stream.write(b"half")
            stream.flush()
            assert not storage.exists("/file")
        assert read(storage, "/file") == b"half"

    def test_a_file_is_replaced_only_when_whole(self, storage: Storage) -> None:
        """Readers see the old content until the block ends, then the new one."""
        write(storage, "/file", b"old")
        with storage.open_write("/file") as stream:
            stream.write(b"newer")
            stream.flush()
            assert read(storage, "/file") == b"old"
        assert read(storage, "/file") == b"newer"

    def test_an_error_leaves_nothing(self, storage: Storage) -> None:
        """After an error in the block nothing was written, under any name."""
        with pytest.raises(BrokenOffError):
            break_off(storage, "/d/file")
        assert not storage.exists("/d") or list(storage.list("/d")) == []

    def test_an_error_harms_nothing(self, storage: Storage) -> None:
        """After an error in the block an existing file is as it was."""
        write(storage, "/file", b"old")
        with pytest.raises(BrokenOffError):
            break_off(storage, "/file")
        assert read(storage, "/file") == b"old"
        assert [entry.path for entry in storage.walk("/")] == ["/file"]

    def test_many_writers(self, storage: Storage) -> None:
        """Of several writers at once one wins; the file is never a mixture."""
        contents = [bytes([number]) * 100_000 for number in range(4)]
        together([partial(write, storage, "/file", content) for content in contents])
        assert read(storage, "/file") in contents
        assert [entry.path for entry in storage.walk("/")] == ["/file"]

    def test_mode_and_time(self, storage: Storage) -> None:
        """What a storage keeps of permission bits and times is what it was given."""
        then = datetime(2021, 2, 3, 4, 5, 6, 789000, tzinfo=timezone.utc)
        with storage.open_write("/file", mode=0o640, modified=then) as stream:
            stream.write(b"x")
        entry = storage.stat("/file")
        assert entry.mode in (None, 0o640)
        if entry.modified is not None and abs(entry.modified - then) >= timedelta(seconds=1):
            assert abs(datetime.now(timezone.utc) - entry.modified) < timedelta(hours=1)

    def test_write_over_a_folder(self, storage: Storage) -> None:
        """A file never takes the place of a folder."""
        storage.mkdir("/d")
        with pytest.raises(IsADirectoryError):
            write(storage, "/d")
        assert storage.stat("/d").is_dir

    def test_write_over_a_folder_made_since(self, storage: Storage) -> None:
        """Neither where its place was listed, and files written beside it, before it was made."""
        for name in ("x", "y", "z"):
            write(storage, f"/d/{name}")
        assert [entry.name for entry in storage.list("/d")] == ["x", "y", "z"]
        write(storage, "/d/e/f/file")
        storage.mkdir("/d/g")
        for path in ("/d/e", "/d/e/f", "/d/g"):
            with pytest.raises(IsADirectoryError):
                write(storage, path)
        assert read(storage, "/d/e/f/file") == b"content"

    def test_write_below_a_file(self, storage: Storage) -> None:
        """A file cannot hold a file."""
        write(storage, "/file")
        with pytest.raises(NotADirectoryError):
            write(storage, "/file/below")

    def test_mkdir(self, storage: Storage) -> None:
        """A folder is made with its parents; making it again is fine."""
        storage.mkdir("/a/b")
        storage.mkdir("/a/b")
        assert storage.stat("/a/b").is_dir

    def test_mkdir_over_a_file(self, storage: Storage) -> None:
        """A folder never takes the place of a file."""
        write(storage, "/file")
        with pytest.raises(FileExistsError):
            storage.mkdir("/file")
        with pytest.raises(NotADirectoryError):
            storage.mkdir("/file/below")
        assert read(storage, "/file") == b"content"
