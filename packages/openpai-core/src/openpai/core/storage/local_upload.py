"""A file of a folder that is written in parts.

The parts go to their places in a partial file, followed by one byte per part that says whether
that part is whole. The file is cut to its size and renamed at the end, so a partial file of exactly
its size has all its parts.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Callable, Iterator

from openpai.core.storage.paths import with_path_in_errors
from openpai.core.storage.upload import Upload

__all__ = ["FolderUpload"]

#: Bytes of a part: few enough to send little twice, many enough to cost no time.
PART = 8 << 20
_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)


class FolderUpload(Upload):
    """See the module.

    Args:
        final: The place that the file gets.
        partial: The partial file, open for reading and writing; ``token`` is its name.
        stream: The open file.
        size: Bytes of the whole file.
        describe: Gives the partial file the permission bits and time that the file shall have.
        where: The file, named for people.
    """

    part_size = PART

    def __init__(
        self,
        final: Path,
        partial: Path,
        stream: BinaryIO,
        *,
        size: int,
        describe: Callable[[Path], None],
        where: str,
    ) -> None:
        self.token = partial.name
        self.size = size
        self._final = final
        self._partial = partial
        self._stream = stream
        self._describe = describe
        self._where = where

    def prepare(self) -> None:
        """Give a new partial file its length; what was not written takes no space."""
        os.ftruncate(self._stream.fileno(), self.size + self.parts)

    @property
    def fits(self) -> bool:
        """Whether the partial file is one of a file of this size."""
        found = os.fstat(self._stream.fileno()).st_size
        return found in (self.size, self.size + self.parts)

    def written(self) -> set[int]:
        """Return the indexes of the parts that are whole."""
        if os.fstat(self._stream.fileno()).st_size == self.size:
            return set(range(self.parts))
        marks = os.pread(self._stream.fileno(), self.parts, self.size)
        return {index for index, mark in enumerate(marks) if mark}

    def write(self, index: int, data: BinaryIO) -> None:
        """Write one part to its place; zeros where there are none but zeros yet take no space."""
        at, left = self.part(index)
        number = self._stream.fileno()
        while left:
            chunk = data.read(min(left, _CHUNK))
            if not chunk:
                raise self._wrong_length(index)
            with with_path_in_errors(self._where):
                if chunk != _ZEROS[: len(chunk)] or not _is_hole(number, at, len(chunk)):
                    _write_all(number, chunk, at)
            at += len(chunk)
            left -= len(chunk)
        if data.read(1):
            raise self._wrong_length(index)
        with with_path_in_errors(self._where):
            os.pwrite(number, b"\1", self.size + index)

    def content(self) -> Iterator[bytes]:
        """Yield the file as it is written so far, from this machine's own disk."""
        for at in range(0, self.size, _CHUNK):
            yield os.pread(self._stream.fileno(), min(_CHUNK, self.size - at), at)

    def commit(self) -> None:
        """Rename the partial file."""
        self._refuse_gaps(self.written())
        with with_path_in_errors(self._where):
            if self._final.is_dir():
                raise IsADirectoryError(errno.EISDIR, "Is a folder")
            os.ftruncate(self._stream.fileno(), self.size)
            self._stream.close()
            self._describe(self._partial)
            self._partial.replace(self._final)

    def abort(self) -> None:
        """Remove the partial file."""
        self._stream.close()
        with suppress(FileNotFoundError):
            self._partial.unlink()

    def close(self) -> None:
        """Close the partial file."""
        self._stream.close()


@contextmanager
def abandoned(upload: FolderUpload) -> Iterator[None]:
    """Remove the partial file if the block fails."""
    try:
        yield
    except BaseException:
        upload.abort()
        raise


def _is_hole(number: int, at: int, length: int) -> bool:
    """Whether the file surely has no data there."""
    try:
        return os.lseek(number, at, os.SEEK_DATA) >= at + length
    except OSError as error:
        return error.errno == errno.ENXIO


def _write_all(number: int, chunk: bytes, at: int) -> None:
    view = memoryview(chunk)
    while view:
        done = os.pwrite(number, view, at)
        view, at = view[done:], at + done
