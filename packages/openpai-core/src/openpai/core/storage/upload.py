"""One file that is being written in parts: in any order, by several threads, over several runs."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from typing import BinaryIO, Collection, Iterator, TypeVar

__all__ = ["Upload"]

U = TypeVar("U", bound="Upload")


class Upload(ABC):
    """A file that :meth:`~openpai.core.storage.base.Storage.begin_upload` began.

    Nothing appears under its name before :meth:`commit`; an existing file stays as it is until
    then. As a context manager it is closed at the end of the block, neither committed nor aborted.

    Attributes:
        token: Names it, as text that JSON can hold; another process resumes with it.
        size: Bytes of the whole file.
        part_size: Bytes of every part but the last, which has the rest; chosen by the storage.
        algorithm: Algorithm of the checksum that the storage will return for the file, as in
            :class:`~openpai.core.storage.checksums.Checksum`; empty if not known beforehand.
    """

    token: str
    size: int
    part_size: int
    algorithm: str = ""
    #: the file, named for people
    _where: str = ""

    @property
    def parts(self) -> int:
        """The number of parts; an empty file has none."""
        return -(-self.size // self.part_size)

    def part(self, index: int) -> tuple[int, int]:
        """Return where a part begins in the file, and its length, both in bytes."""
        begin = index * self.part_size
        return begin, min(self.part_size, self.size - begin)

    @abstractmethod
    def written(self) -> set[int]:
        """Return the indexes of the parts that are whole on the storage."""

    @abstractmethod
    def write(self, index: int, data: BinaryIO) -> None:
        """Write one part; several threads may, each its own part.

        Writing a part again replaces it, also after an attempt that failed half way.

        Args:
            index: Which part, from 0.
            data: A stream that ends with the part: ``read(n)`` gives ``n`` bytes until then. It
                may be unable to seek.

        Raises:
            OSError: The storage refuses, or the stream has fewer or more bytes than the part
                (``errno.EIO``); the part does not count as written.
        """

    @abstractmethod
    def commit(self) -> None:
        """Make the file appear under its name, in one step; all parts must be written.

        Raises:
            OSError: The storage refuses; by its token the upload can be gone on with.
        """

    @abstractmethod
    def abort(self) -> None:
        """Give up, and remove what was written; also fine where nothing is left."""

    def content(self) -> Iterator[bytes] | None:
        """Return the file as it is written so far, before anybody else can read it.

        It comes in pieces, each of which is read when it is asked for and lies within one part.
        ``None``, as by default: that would cost more than asking for a checksum afterwards.
        """
        return None

    def _wrong_length(self, index: int) -> OSError:
        return OSError(errno.EIO, f"Part {index} has another length than it must", self._where)

    def _refuse_gaps(self, written: Collection[int]) -> None:
        """Raise ``OSError`` unless all parts are written."""
        missing = self.parts - len(written)
        if missing:
            raise OSError(errno.EIO, f"{missing} of {self.parts} parts are missing", self._where)

    def __enter__(self: U) -> U:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what this process holds; what was written stays, to be resumed."""
