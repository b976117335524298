"""Checksums of whole files: what a storage says of one, and how to compute the same here."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from openpai.core.storage.hdfs_checksum import Md5OfBlocks, read_name

__all__ = ["Checksum", "Hasher", "hasher"]


@dataclass(frozen=True)
class Checksum:
    """The checksum of a whole file, computed by the storage from what it holds.

    Attributes:
        algorithm: ``md5``, ``sha256``, ``crc32c``, … or what the storage calls its own kind. For
            objects made of parts ``md5-parts/BYTES``: the MD5 of the MD5s of all parts of that
            many bytes, a dash and the number of parts, as S3 reports it.
        value: Hexadecimal digits in lower case.
    """

    algorithm: str
    value: str


class Hasher(Protocol):
    """A hash object, as those of :mod:`hashlib`."""

    def update(self, data: Any, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """Return the checksum of all bytes taken, as :attr:`Checksum.value` has it."""


def hasher(algorithm: str) -> Hasher | None:
    """Return what computes an algorithm on this machine, ``None`` where nothing here does."""
    if algorithm in ("md5", "sha1", "sha256", "sha512"):
        made: Hasher = hashlib.new(algorithm)
        return made
    if algorithm == "crc32":
        return _Crc(zlib.crc32)
    if algorithm == "crc32c":
        extend = _crc32c()
        return _Crc(extend) if extend else None
    if blocks := read_name(algorithm):
        crc = _crc32c_of() if blocks[2] == "CRC32C" else zlib.crc32
        return Md5OfBlocks(blocks[0], blocks[1], crc) if crc else None
    kind, _, size = algorithm.partition("/")
    return _Md5OfParts(int(size)) if kind == "md5-parts" and size.isdigit() else None


class _Crc:
    """A 32-bit checksum that a function ``(data, so far) -> so far`` computes."""

    def __init__(self, extend: Callable[[Any, int], int]) -> None:
        self._extend = extend
        self._value = 0

    def update(self, data: Any, /) -> None:
        self._value = self._extend(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


class _Md5OfParts:
    """The MD5 of the MD5s of parts, and their number."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._part = _md5()
        self._digests: list[bytes] = []

    def update(self, data: Any, /) -> None:
        view = memoryview(data)
        while view:
            taken = view[: self._left]
            self._part.update(taken)
            self._left -= len(taken)
            view = view[len(taken) :]
            if not self._left:
                self._end_part()

    def _end_part(self) -> None:
        self._digests.append(self._part.digest())
        self._part, self._left = _md5(), self._size

    def hexdigest(self) -> str:
        last = [self._part.digest()] if self._left < self._size else []
        digests = [*self._digests, *last]
        return f"{_md5(b''.join(digests)).hexdigest()}-{len(digests)}"


def _md5(data: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(data)  # noqa: S324 - what storages compare


def _crc32c() -> Callable[[Any, int], int] | None:
    """Return the function of whichever package is installed; in Python itself it is too slow."""
    try:
        from google_crc32c import extend  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    return lambda data, value: int(extend(value, bytes(data)))


def _crc32c_of() -> Callable[[bytes], int] | None:
    """Return the function that computes one at once, for many small pieces."""
    try:
        from google_crc32c import value  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    found: Callable[[bytes], int] = value
    return found
