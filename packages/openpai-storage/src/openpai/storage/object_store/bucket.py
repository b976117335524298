"""Interface of an object store; :mod:`~openpai.storage.object_store.storage` builds on it."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Callable, Iterator, NamedTuple, Sequence

from openpai.core.storage import Checksum, Upload, with_path_in_errors

__all__ = ["Bucket", "BucketUpload", "ObjectInfo", "ObjectStream", "Parts", "object_stream"]

MIB = 1 << 20
#: Bytes of a part where the size of the file does not ask for more.
PART = 8 * MIB


class ObjectInfo(NamedTuple):
    """An object, or a folder that keys have in common.

    Attributes:
        key: Its key; a folder's may end in a slash.
        size: Bytes.
        modified: When it was written.
        is_folder: Whether it stands for a folder.
        checksum: Of its content, where the answer has one.
    """

    key: str
    size: int = 0
    modified: datetime | None = None
    is_folder: bool = False
    checksum: Checksum | None = None


class Parts(ABC):
    """An object that is being written in parts, of which nothing is seen until the commit.

    Attributes:
        token: Names it, for another process to resume.
    """

    token: str

    @abstractmethod
    def put(self, index: int, data: bytes) -> None:
        """Send one part, with a checksum that the server compares."""

    @abstractmethod
    def sizes(self) -> dict[int, int]:
        """Return the bytes of each part that the server has."""

    @abstractmethod
    def commit(self, count: int, part_size: int | None) -> None:
        """Make one object of the first ``count`` parts, all but the last of ``part_size`` bytes."""

    @abstractmethod
    def abort(self) -> None:
        """Give up; also fine where nothing is left."""


class Bucket(ABC):
    """Objects by key. Threads may share it.

    Errors about files are ``OSError`` with an ``errno``; others are ``StorageError`` and
    ``ConnectionFailed``.

    Attributes:
        max_parts: Maximum number of parts of an object.
        errors: Exceptions of the library that :meth:`translate` takes.
    """

    max_parts = 10_000
    errors: tuple[type[Exception], ...] = ()

    @abstractmethod
    def translate(self, error: Exception) -> Exception:
        """Return our error for one of the library."""

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Translate errors of the library that the block raises."""
        try:
            yield
        except self.errors as error:
            raise self.translate(error) from None

    @abstractmethod
    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object of exactly this key."""

    def has_marker(self, key: str) -> bool:  # noqa: ARG002 - for stores that mark folders this way
        """Whether an object of this very key says that it is a folder."""
        return False

    @abstractmethod
    def scan(
        self, prefix: str, *, deep: bool = True, limit: int | None = None
    ) -> Iterator[ObjectInfo]:
        """Yield objects whose keys begin with ``prefix``.

        Args:
            prefix: The beginning of the keys.
            deep: Whether to go below the next slash; otherwise what is below it is one folder.
            limit: How many are enough.
        """

    @abstractmethod
    def get(self, key: str, offset: int, length: int | None) -> ObjectStream:
        """Open an object; beyond its end there is nothing to read.

        The stream's ``found`` is the object as the answer describes it, if that is all of it.
        """

    @abstractmethod
    def put(self, key: str, data: bytes) -> ObjectInfo:
        """Write a whole object, with a checksum that the server compares; return it."""

    @abstractmethod
    def put_folder(self, key: str) -> None:
        """Write the object that keeps an empty folder; ``key`` does not end in a slash."""

    @abstractmethod
    def start_upload(self, key: str) -> Parts:
        """Begin to write an object in parts."""

    @abstractmethod
    def resume_upload(self, key: str, token: str) -> Parts | None:
        """Find the upload that a token names."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Copy one object, without sending it here."""

    @abstractmethod
    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already are fine."""

    @abstractmethod
    def checksum(self, key: str) -> Checksum | None:
        """Return what the store holds of an object; raise ``FileNotFoundError`` without one."""

    def close(self) -> None:
        """Give back connections."""

    def name_error(self, key: str) -> str:  # noqa: ARG002 - for stores that take not every name
        """Return why the store cannot hold an object of this key; an empty text if it can."""
        return ""

    def exceeds_limit(self, key: str) -> bool:
        """Whether the store cannot hold the key; S3's limit is 1,024 bytes of UTF-8."""
        return len(key.encode("utf-8")) > 1024

    def part_size(self, size: int) -> int:
        """Return the bytes of a part of a file: whole MiB, few enough parts."""
        needed = -(-size // self.max_parts)
        return max(PART, -(-needed // MIB) * MIB)


class BucketUpload(Upload):
    """An object that is written in parts by any process that has its token.

    Args:
        parts: Its parts.
        size: Bytes of the whole file.
        part_size: Bytes of a part.
        where: The file, named for people.
    """

    def __init__(self, parts: Parts, size: int, part_size: int, where: str) -> None:
        self.token = parts.token
        self.size = size
        self.part_size = part_size
        self.algorithm = f"md5-parts/{part_size}"
        self._parts = parts
        self._where = where

    def written(self) -> set[int]:
        """Return the indexes of the parts that are whole."""
        with with_path_in_errors(self._where):
            found = self._parts.sizes()
        return {index for index in range(self.parts) if found.get(index) == self.part(index)[1]}

    def write(self, index: int, data: BinaryIO) -> None:
        """Send one part."""
        _, length = self.part(index)
        content = data.read(length)
        if len(content) != length or data.read(1):
            raise self._wrong_length(index)
        with with_path_in_errors(self._where):
            self._parts.put(index, content)

    def commit(self) -> None:
        """Commit the upload."""
        self._refuse_gaps(self.written())
        with with_path_in_errors(self._where):
            self._parts.commit(self.parts, self.part_size)

    def abort(self) -> None:
        """Give up."""
        with with_path_in_errors(self._where):
            self._parts.abort()


class Streaming(io.RawIOBase):
    """A file of unknown length: one request if it is short, otherwise parts that grow."""

    def __init__(self, bucket: Bucket, key: str, where: str) -> None:
        self._bucket = bucket
        self._key = key
        self._where = where
        self._held = bytearray()
        self._parts: Parts | None = None
        self._count = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        while len(self._held) > self._size():
            size = self._size()
            with with_path_in_errors(self._where):
                self._put(bytes(memoryview(self._held)[:size]))
            del self._held[:size]
        return len(data)

    def _size(self) -> int:
        return PART << (self._count // (self._bucket.max_parts // 10))

    def _put(self, data: bytes) -> None:
        if self._parts is None:
            self._parts = self._bucket.start_upload(self._key)
        self._parts.put(self._count, data)
        self._count += 1

    def finish(self) -> ObjectInfo | None:
        """Commit the object; return it, if the answer describes it."""
        rest = bytes(self._held)
        if self._parts is None:
            return self._bucket.put(self._key, rest)
        self._put(rest)
        regular = self._count <= self._bucket.max_parts // 10
        self._parts.commit(self._count, PART if regular else None)
        return None

    def abort(self) -> None:
        """Give up what was sent."""
        if self._parts is not None:
            self._parts.abort()


class ObjectStream(io.BufferedReader):
    """The content of an object.

    Attributes:
        found: The object as the answer with its content describes it, if that is all of it.
    """

    found: ObjectInfo | None = None


class _Body(io.RawIOBase):
    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None]) -> None:
        self._read = read
        self._close = close

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()


def object_stream(
    read: Callable[[int], bytes], close: Callable[[], None], found: ObjectInfo | None = None
) -> ObjectStream:
    """Return a stream of what ``read(count)`` gives, which may be less than asked for."""
    stream = ObjectStream(_Body(read, close), 1 << 16)
    stream.found = found
    return stream
