"""The checksum of HDFS: the MD5 of the MD5s of the blocks' CRCs, one CRC for each few bytes.

``MD5-of-<CRCs in a block>MD5-of-<bytes of a CRC>CRC32C`` (hadoop-common,
MD5MD5CRC32FileChecksum.java); with 0 CRCs in a block, the file has one block at most. The outer MD5
is that of a buffer with zeros at its end, which doubles from 32 bytes on as it fills
(hadoop-hdfs-client, FileChecksumHelper.java, ``blockChecksumBuf.getData()``).
"""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Any, Callable

__all__ = ["Md5OfBlocks", "read_name"]

_NAME = re.compile(r"MD5-of-(?P<crcs>\d+)MD5-of-(?P<bytes>\d+)(?P<kind>CRC32C?)")


def read_name(algorithm: str) -> tuple[int, int, str] | None:
    """Return the CRCs in a block, the bytes of a CRC, and its kind; ``None`` for other names."""
    found = _NAME.fullmatch(algorithm)
    if not found or not int(found["bytes"]):
        return None
    return int(found["crcs"]), int(found["bytes"]), found["kind"]


class Md5OfBlocks:
    """Computes the checksum of HDFS.

    Args:
        crcs: CRCs in a block; 0: there is one block only.
        size: Bytes of a CRC.
        crc: Computes the CRC of bytes.
    """

    def __init__(self, crcs: int, size: int, crc: Callable[[bytes], int]) -> None:
        self._crcs = crcs
        self._size = size
        self._crc = crc
        self._rest = b""
        self._blocks = b""
        self._block = _md5()
        self._left = crcs

    def update(self, data: Any, /) -> None:
        """Take the next bytes."""
        content = self._rest + bytes(data)
        size, crc = self._size, self._crc
        whole = len(content) - len(content) % size
        found = [crc(content[at : at + size]) for at in range(0, whole, size)]
        self._rest = content[whole:]
        while self._crcs and len(found) >= self._left:
            self._block.update(_packed(found[: self._left]))
            del found[: self._left]
            self._end_block()
        self._block.update(_packed(found))
        self._left -= len(found)

    def _end_block(self) -> None:
        self._blocks += self._block.digest()
        self._block, self._left = _md5(), self._crcs

    def hexdigest(self) -> str:
        """Return the checksum of all bytes taken."""
        block, blocks = self._block.copy(), self._blocks
        if self._rest:
            block.update(_packed([self._crc(self._rest)]))
        if self._rest or not self._crcs or self._left < self._crcs:
            blocks += block.digest()
        length = 32
        while length < len(blocks):
            length *= 2
        digest: str = _md5(blocks.ljust(length, b"\0")).hexdigest()
        return digest


def _packed(crcs: list[int]) -> bytes:
    return struct.pack(f">{len(crcs)}I", *crcs)


def _md5(data: bytes = b"") -> Any:
    return hashlib.md5(data)  # noqa: S324 - what HDFS computes
