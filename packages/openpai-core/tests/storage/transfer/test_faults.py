"""Errors during a transfer are reported and damage nothing."""

from __future__ import annotations

import io
import os
import resource
from pathlib import Path
from typing import BinaryIO, Callable

import pytest

from openpai.core.errors import StorageError
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import (
    Options,
    Transfer,
    TransferError,
    download,
    upload,
)


class Disturbed(LocalStorage):
    """A folder in which something happens once a file has been opened for reading."""

    disturb: Callable[[Path], None]

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open the file, then let it happen."""
        stream = super().open_read(path, offset, length)
        self.disturb(self.root / path.lstrip("/"))
        return stream


def grow(path: Path) -> None:
    """Append to a file."""
    with path.open("ab") as stream:
        stream.write(b"more")


def rewrite(path: Path) -> None:
    """Change a file without changing its size."""
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(1, 1))


def shrink(path: Path) -> None:
    """Cut a file short."""
    os.truncate(path, 1)


@pytest.mark.parametrize("disturb", [grow, rewrite, shrink, Path.unlink])
def test_source_changed_during_copy_raises(
    storage: LocalStorage, tmp_path: Path, disturb: Callable[[Path], None]
) -> None:
    """A file that grows, shrinks, changes or goes while it is read is not stored."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(b"0123456789")
    disturbed = Disturbed(source)
    disturbed.disturb = disturb
    once = Options(retries=0)
    with pytest.raises((StorageError, FileNotFoundError)):
        Transfer(disturbed, "/file", storage, "/file", once).run()
    assert list(storage.list("/")) == []


def test_different_existing_file_is_kept(storage: LocalStorage, tmp_path: Path) -> None:
    """A file is replaced only if that is asked for; the error names it."""
    (tmp_path / "file").write_bytes(b"new")
    with storage.open_write("/file") as stream:
        stream.write(b"old")
    with pytest.raises(FileExistsError, match="'main:/file'"):
        upload(storage, tmp_path / "file", "/file")
    assert (storage.root / "file").read_bytes() == b"old"
    upload(storage, tmp_path / "file", "/file", overwrite=True)
    assert (storage.root / "file").read_bytes() == b"new"


def test_other_files_are_copied_after_failure(storage: LocalStorage, tmp_path: Path) -> None:
    """One file's failure does not stop the others; all failures are listed."""
    source = tmp_path / "source"
    source.mkdir()
    for name in "abc":
        (source / name).write_text(name)
    os.mkfifo(source / "pipe")
    with storage.open_write("/t/b") as stream:
        stream.write(b"different")
    with pytest.raises(TransferError) as caught:
        upload(storage, source, "/t")
    assert [(item.target, type(item.error)) for item in caught.value.failed] == [
        ("main:/t/b", FileExistsError),
        ("main:/t/pipe", OSError),
    ]
    assert [item.target for item in caught.value.copied] == ["main:/t/a", "main:/t/c"]
    assert "the same command copies only what is missing" in caught.value.hint


def test_hint_matches_error(storage: LocalStorage, tmp_path: Path) -> None:
    """Where all that failed is that files differ, running it again would not help."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").write_text("a")
    with storage.open_write("/t/a") as stream:
        stream.write(b"different")
    with pytest.raises(TransferError) as caught:
        upload(storage, tmp_path / "source", "/t")
    assert "overwrite" in caught.value.hint


def test_file_in_place_of_folder_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """A folder that cannot be made fails once, not once for everything in it."""
    (tmp_path / "source" / "d" / "e").mkdir(parents=True)
    (tmp_path / "source" / "d" / "e" / "file").write_text("x")
    (tmp_path / "source" / "z").write_text("z")
    with storage.open_write("/t/d"):
        pass
    with pytest.raises(TransferError) as caught:
        upload(storage, tmp_path / "source", "/t")
    assert [item.target for item in caught.value.failed] == ["main:/t/d"]
    assert storage.exists("/t/z")


def test_folder_in_place_of_file_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """A file does not take the place of a folder, not even with ``overwrite``."""
    (tmp_path / "file").write_text("x")
    storage.mkdir("/d")
    with pytest.raises(IsADirectoryError, match="'main:/d'"):
        upload(storage, tmp_path / "file", "/d", overwrite=True)


def test_missing_source_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """A source that does not exist is named, and nothing is made at the target."""
    with pytest.raises(FileNotFoundError, match=str(tmp_path / "none")):
        upload(storage, tmp_path / "none", "/t")
    with pytest.raises(FileNotFoundError, match="'main:/none'"):
        download(storage, "/none", tmp_path / "got" / "it")
    assert list(storage.list("/")) == []
    assert not (tmp_path / "got").exists()


def test_file_larger_than_limit_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """A target that takes no more bytes is named, and nothing is left there under any name."""
    (tmp_path / "file").write_bytes(b"x" * (3 << 20))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large: 'main:/file'"):
            upload(storage, tmp_path / "file", "/file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(storage.list("/")) == []


def test_short_copy_raises(storage: LocalStorage, tmp_path: Path) -> None:
    """The size of what was written is compared with what was sent."""

    class Forgetful(LocalStorage):
        def open_write(self, path: str, **kept: object) -> BinaryIO:
            (self.root / "file").write_bytes(b"short")
            return io.BytesIO()

    (tmp_path / "file").write_bytes(b"long enough")
    forgetful = Forgetful(storage.root, "main")
    with pytest.raises(StorageError, match="main:/file has 5 bytes instead of 11"):
        upload(forgetful, tmp_path / "file", "/file", overwrite=True)
