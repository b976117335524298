"""Files on a file server as Python streams that keep several requests under way.

A server far away answers each request late; a stream that waits for one answer before it asks the
next question is as slow as the line is long.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, BinaryIO, Callable, cast

from openpai.core.storage import with_path_in_errors

__all__ = ["AHEAD", "BLOCK", "RemoteFile", "Writer", "reader"]

#: Bytes of one request of a stream.
BLOCK = 1 << 20
#: Requests of one stream that are under way at once.
AHEAD = 4


class RemoteFile(ABC):
    """An open file of a server. Threads may share it.

    Attributes:
        size: Bytes it had when it was opened.
    """

    size = 0

    @abstractmethod
    def ask(self, offset: int, count: int) -> Callable[[], bytes]:
        """Begin to read; what is returned waits for the bytes: fewer only at the file's end."""

    @abstractmethod
    def send(self, offset: int, data: bytes) -> Callable[[], None]:
        """Begin to write; what is returned waits until the server has it."""

    @abstractmethod
    def resize(self, size: int) -> None:
        """Cut the file, or make it longer by zeros."""

    @abstractmethod
    def close(self) -> None:
        """Give the file back to the server."""


def reader(
    file: RemoteFile, offset: int, length: int | None, where: str, head: bytes = b""
) -> BinaryIO:
    """Return a range of a file as a stream that owns the file; its errors name ``where``.

    ``head`` is what is already there of the range.
    """
    left = max(file.size - offset, 0)
    count = left if length is None else min(length, left)
    return cast(BinaryIO, io.BufferedReader(_Reader(file, offset, count, where, head), 1 << 16))


class _Reader(io.RawIOBase):
    def __init__(self, file: RemoteFile, offset: int, count: int, where: str, head: bytes) -> None:
        self._file = file
        self._next = offset + len(head)
        self._end = offset + count
        self._where = where
        self._asked: deque[Callable[[], bytes]] = deque()
        self._got = memoryview(head)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._got:
            self._got = memoryview(self._answer())
        count = min(len(buffer), len(self._got))
        buffer[:count] = self._got[:count]
        self._got = self._got[count:]
        return count

    def _answer(self) -> bytes:
        with with_path_in_errors(self._where):
            while len(self._asked) < AHEAD and self._next < self._end:
                count = min(BLOCK, self._end - self._next)
                self._asked.append(self._file.ask(self._next, count))
                self._next += count
            return self._asked.popleft()() if self._asked else b""

    def close(self) -> None:
        if not self.closed:
            self._asked.clear()
            self._file.close()
        super().close()


class Writer:
    """A new file that is being written, from its beginning to its end.

    Args:
        begin: Makes the file; not called while what is written fits into one request.
        where: The file, named for people.

    Attributes:
        stream: Where to write its content.
    """

    def __init__(self, begin: Callable[[], RemoteFile], where: str) -> None:
        self._raw = _Writer(begin, where)
        self.stream = cast(BinaryIO, io.BufferedWriter(self._raw, BLOCK))

    def finish(self) -> RemoteFile | bytes:
        """Wait until the server has everything; a file that was not made is returned whole."""
        self.stream.close()
        return self._raw.file or bytes(self._raw.held)

    def abort(self) -> None:
        """Close the file, whatever was written."""
        self._raw.discards = True
        self.stream.close()
        if self._raw.file:
            self._raw.file.close()


class _Writer(io.RawIOBase):
    def __init__(self, begin: Callable[[], RemoteFile], where: str) -> None:
        self._begin = begin
        self._next = 0
        self._where = where
        self._sent: deque[Callable[[], None]] = deque()
        self.file: RemoteFile | None = None
        self.held = bytearray()
        self.discards = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.held += data
        if self.file or len(self.held) > BLOCK:
            view = memoryview(bytes(self.held))
            self.held.clear()
            for start in range(0, len(view), BLOCK):
                self._write(bytes(view[start : start + BLOCK]))
        return len(data)

    def _write(self, data: bytes) -> None:
        if self.discards:
            return
        with with_path_in_errors(self._where):
            self.file = self.file or self._begin()
            self._sent.append(self.file.send(self._next, data))
            self._next += len(data)
            while len(self._sent) > AHEAD:
                self._sent.popleft()()

    def close(self) -> None:
        try:
            while self._sent and not self.discards:
                with with_path_in_errors(self._where):
                    self._sent.popleft()()
        finally:
            super().close()
