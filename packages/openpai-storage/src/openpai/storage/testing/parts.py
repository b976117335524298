"""Write in parts, and checksums: where a storage offers them."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from openpai.core.storage import Storage, Upload, hasher, is_partial
from openpai.storage.testing.helpers import read, together, write

__all__ = ["PartsContract"]

#: Larger than one part of most storages, and no multiple of any part.
SIZE = (20 << 20) + 123
_BLOCK = hashlib.sha512(b"seed").digest() * (1 << 14)


def content(upload: Upload) -> bytes:
    """Return what the file of an upload shall hold; no two parts are alike."""
    made = bytearray(_BLOCK * (upload.size // len(_BLOCK) + 1))[: upload.size]
    for index in range(upload.parts):
        begin, length = upload.part(index)
        made[begin : begin + 8] = index.to_bytes(8, "big")[:length]
    return bytes(made)


def write_part(upload: Upload, index: int) -> None:
    """Write one part of :func:`content`."""
    begin, length = upload.part(index)
    upload.write(index, io.BytesIO(content(upload)[begin : begin + length]))


def begin(storage: Storage, path: str, **options: object) -> Upload:
    """Begin an upload; skip the test where the storage offers none."""
    upload = storage.begin_upload(path, SIZE, **options)  # type: ignore[arg-type]
    if upload is None:
        pytest.skip("this storage writes no parts")
    assert (upload.size, isinstance(upload.token, str)) == (SIZE, True)
    return upload


def write_parts(storage: Storage, path: str) -> None:
    """Write a whole file in parts."""
    with begin(storage, path) as upload:
        for index in range(upload.parts):
            write_part(upload, index)
        upload.commit()


def visible(storage: Storage) -> list[str]:
    """Return the paths of all files except partial ones."""
    return [
        entry.path for entry in storage.walk("/") if not entry.is_dir and not is_partial(entry.name)
    ]


class PartsContract:
    """``begin_upload`` and ``checksum``."""

    def test_parts_in_any_order(self, storage: Storage) -> None:
        """A file whose parts came last to first, at once, is whole after the commit."""
        with begin(storage, "/d/file") as upload:
            parts = list(range(upload.parts))
            together([partial(write_part, upload, index) for index in reversed(parts)])
            assert upload.written() == set(parts)
            upload.commit()
        assert read(storage, "/d/file") == content(upload)
        assert [entry.path for entry in storage.walk("/")] == ["/d", "/d/file"]

    def test_nothing_appears_before_the_commit(self, storage: Storage) -> None:
        """An existing file stays until the commit, though all parts are there."""
        write(storage, "/file", b"old")
        with begin(storage, "/file") as upload:
            for index in range(upload.parts):
                write_part(upload, index)
            assert read(storage, "/file") == b"old"
            upload.commit()
        assert read(storage, "/file") == content(upload)

    def test_gone_on_with(self, storage: Storage) -> None:
        """By its token an upload is gone on with; only what is missing is written."""
        with begin(storage, "/file") as first:
            write_part(first, 0)
        with begin(storage, "/file", token=first.token) as second:
            assert (second.token, second.written()) == (first.token, {0})
            for index in range(1, second.parts):
                write_part(second, index)
            second.commit()
        assert read(storage, "/file") == content(second)
        assert [entry.path for entry in storage.walk("/")] == ["/file"]

    def test_a_token_of_nothing(self, storage: Storage) -> None:
        """With a token that names nothing a new upload begins."""
        with begin(storage, "/file") as first:
            first.abort()
        for token in (first.token, "no such token", ""):
            with begin(storage, "/file", token=token) as upload:
                assert upload.written() == set()
                upload.abort()
        assert visible(storage) == []

    def test_an_abort_leaves_nothing(self, storage: Storage) -> None:
        """What was written of an aborted upload is gone, and an existing file is as it was."""
        write(storage, "/file", b"old")
        with begin(storage, "/file") as upload:
            write_part(upload, 0)
            upload.abort()
            upload.abort()
        assert read(storage, "/file") == b"old"
        assert [entry.path for entry in storage.walk("/")] == ["/file"]

    def test_a_part_again(self, storage: Storage) -> None:
        """A part that is written again replaces what was there; one cut short does not count."""
        with begin(storage, "/file") as upload:
            _, length = upload.part(0)
            with pytest.raises(OSError):  # noqa: PT011 - each storage has its own words
                upload.write(0, io.BytesIO(b"x" * (length // 2)))
            assert upload.written() == set()
            upload.write(0, io.BytesIO(b"y" * length))
            for index in range(upload.parts):
                write_part(upload, index)
            upload.commit()
        assert read(storage, "/file") == content(upload)

    def test_no_commit_without_all_parts(self, storage: Storage) -> None:
        """A file that lacks a part does not appear."""
        with begin(storage, "/file") as upload:
            for index in range(1, upload.parts):
                write_part(upload, index)
            with pytest.raises(OSError):  # noqa: PT011 - each storage has its own words
                upload.commit()
            with suppress(OSError):
                upload.abort()
        assert visible(storage) == []

    def test_mode_and_time_of_parts(self, storage: Storage) -> None:
        """What a storage keeps of permission bits and times is what the upload was given."""
        then = datetime(2021, 2, 3, 4, 5, 6, 789000, tzinfo=timezone.utc)
        with begin(storage, "/file", mode=0o640, modified=then) as upload:
            for index in range(upload.parts):
                write_part(upload, index)
            upload.commit()
        entry = storage.stat("/file")
        assert entry.mode in (None, 0o640)
        if entry.modified is not None and abs(entry.modified - then) >= timedelta(seconds=1):
            assert abs(datetime.now(timezone.utc) - entry.modified) < timedelta(hours=1)

    def test_parts_where_no_file_can_be(self, storage: Storage) -> None:
        """A folder is not replaced, and a file holds no file."""
        storage.mkdir("/d")
        write(storage, "/file")
        for path, wrong in (("/d", IsADirectoryError), ("/file/below", NotADirectoryError)):
            with pytest.raises(wrong):
                write_parts(storage, path)
        assert storage.stat("/d").is_dir
        assert read(storage, "/file") == b"content"

    def test_checksum(self, storage: Storage) -> None:
        """A checksum is that of the content, whichever way the file was written."""
        write(storage, "/file", b"content")
        write(storage, "/other", b"other")
        found = storage.checksum("/file")
        if found is None:
            pytest.skip("this storage has no checksums")
        assert found.value == found.value.lower()
        assert found != storage.checksum("/other")
        computed = hasher(found.algorithm)
        if computed:
            computed.update(b"content")
            assert found.value == computed.hexdigest()

    def test_checksum_of_nothing(self, storage: Storage) -> None:
        """What does not exist has no checksum."""
        write(storage, "/file")
        if storage.checksum("/file") is None:
            pytest.skip("this storage has no checksums")
        with pytest.raises(FileNotFoundError):
            storage.checksum("/none")
