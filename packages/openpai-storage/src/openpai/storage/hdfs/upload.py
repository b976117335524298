"""A file of HDFS that is written in parts, which the name node joins at the end (CONCAT).

The parts are files of one block each in a folder beside the final name. Joining moves blocks, not
bytes; since parts are whole blocks, old name nodes allow it, too, and the file looks as if it had
been written in one go. A join that is interrupted leaves the first part longer, so what is written
is always known from the sizes.
"""

from __future__ import annotations

import os
import posixpath
import re
from contextlib import suppress
from typing import Any, BinaryIO, Callable, Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.storage import Upload, parts_name, with_path_in_errors
from openpai.storage.hdfs.client import WebHdfs
from openpai.storage.hdfs.rename import replace

__all__ = ["PART", "HdfsUpload", "begin_parts"]

#: Part size in bytes if the server does not report its default block size.
PART = 128 << 20

#: Characters of names in one request to join.
NAMES = 16_000

#: DataChecksum.Type of Hadoop
_KINDS = {1: "CRC32", 2: "CRC32C"}
_CHUNK = 1 << 20
_TOKEN = re.compile(r"(?P<name>\.opai-parts-[0-9a-f]+\.partial):(?P<size>[1-9]\d*)")


class HdfsUpload(Upload):
    """See the module.

    Args:
        client: The client of the name node.
        folder: The full path of the folder of parts.
        size: Bytes of the whole file.
        part_size: Bytes of a part.
        algorithm: Of the checksum that data nodes compute, if it is known.
        finish: Called with the full path of the joined file.
        where: The file, named for people.
    """

    def __init__(
        self,
        client: WebHdfs,
        folder: str,
        *,
        size: int,
        part_size: int,
        algorithm: str,
        finish: Callable[[str], None],
        where: str,
    ) -> None:
        self.token = f"{posixpath.basename(folder)}:{part_size}"
        self.size = size
        self.part_size = part_size
        self.algorithm = algorithm
        self._client = client
        self._folder = folder
        self._finish = finish
        self._where = where

    def written(self) -> set[int]:
        """Return the indexes of the parts that are whole."""
        with with_path_in_errors(self._where):
            return set(self._found())

    def _found(self) -> dict[int, int]:
        """Return the whole parts: index → the index of the file that has them."""
        answer = self._client.ask("GET", self._folder, "LISTSTATUS")
        sizes = {
            int(status["pathSuffix"]): int(status["length"])
            for status in answer["FileStatuses"]["FileStatus"]
            if status["pathSuffix"].isdigit()
        }
        found = {
            index: index for index, size in sizes.items() if index and size == self._length(index)
        }
        joined = sizes.get(0, 0)
        if joined == self.size or (joined and joined % self.part_size == 0):
            found.update(dict.fromkeys(range(-(-joined // self.part_size)), 0))
        return found

    def _length(self, index: int) -> int:
        return self.part(index)[1] if index < self.parts else -1

    def write(self, index: int, data: BinaryIO) -> None:
        """Write one part under another name, and rename it when it is whole."""
        with with_path_in_errors(self._where):
            loose = self._part(f"{index}-{os.urandom(4).hex()}")
            upload = self._client.create(loose, blocksize=self.part_size)
            try:
                self._copy(data, upload.stream, index)
                upload.finish()
                replace(self._client, loose, self._part(index))
            except BaseException:
                upload.abort()
                with suppress(OSError, OpenPaiError):
                    self._client.ask("DELETE", loose, "DELETE")
                raise

    def _copy(self, source: BinaryIO, target: BinaryIO, index: int) -> None:
        left = self._length(index)
        while left:
            chunk = source.read(min(left, _CHUNK))
            if not chunk:
                break
            target.write(chunk)
            left -= len(chunk)
        if left or source.read(1):
            raise self._wrong_length(index)

    def commit(self) -> None:
        """Join the parts and let the file appear under its name."""
        with with_path_in_errors(self._where):
            found = self._found()
            self._refuse_gaps(found)
            loose = sorted(index for index, file in found.items() if index == file and index)
            for names in _batches([self._part(index) for index in loose]):
                self._client.ask("POST", self._part(0), "CONCAT", sources=names)
            self._finish(self._part(0))
        self.abort()

    def abort(self) -> None:
        """Remove the folder of parts."""
        with with_path_in_errors(self._where):
            self._client.ask("DELETE", self._folder, "DELETE", recursive="true")

    def _part(self, name: object) -> str:
        return f"{self._folder}/{name}"


def begin_parts(
    client: WebHdfs, parent: str, token: str | None, size: int, part_size: int
) -> tuple[str, int, str] | None:
    """Return the folder of parts (a new one, unless the token names one), their size, an algorithm.

    ``part_size`` counts if the server does not report its block size. ``None``: one part
    only, or the name node does not join parts.
    """
    known = _TOKEN.fullmatch(token or "")
    usual = _usual(client)
    if known and _is_folder(client, posixpath.join(parent, known["name"])):
        part_size = int(known["size"])
        return posixpath.join(parent, known["name"]), part_size, _algorithm(usual, part_size)
    part_size = int(usual.get("blockSize") or part_size)
    if size <= part_size or "," in parent:  # which separates the names of parts
        return None
    folder = posixpath.join(parent, parts_name())
    client.ask("PUT", folder, "MKDIRS")
    status = client.ask("GET", folder, "GETFILESTATUS")["FileStatus"]
    if status.get("encBit") or status.get("ecBit"):
        client.ask("DELETE", folder, "DELETE")
        return None
    return folder, part_size, _algorithm(usual, part_size)


def _is_folder(client: WebHdfs, path: str) -> bool:
    try:
        status: Mapping[str, Any] = client.ask("GET", path, "GETFILESTATUS")["FileStatus"]
    except FileNotFoundError:
        return False
    return bool(status["type"] == "DIRECTORY")


def _usual(client: WebHdfs) -> Mapping[str, Any]:
    """Return what files are given that ask for nothing else."""
    try:
        defaults = client.ask("GET", "/", "GETSERVERDEFAULTS")["FsServerDefaults"]
    except (OpenPaiError, OSError, KeyError, TypeError):  # unknown before Hadoop 3.3
        return {}
    return defaults if isinstance(defaults, Mapping) else {}


def _algorithm(usual: Mapping[str, Any], block: int) -> str:
    """Name the checksum of a file of several blocks (FileChecksumHelper.java)."""
    kind, size = _KINDS.get(usual.get("checksumType", 0)), usual.get("bytesPerChecksum")
    return f"MD5-of-{block // size}MD5-of-{size}{kind}" if kind and size else ""


def _batches(paths: list[str]) -> list[str]:
    """Join paths by commas, into texts that are short enough for an address."""
    texts: list[str] = []
    for path in paths:
        if texts and len(texts[-1]) + len(path) < NAMES:
            texts[-1] += "," + path
        else:
            texts.append(path)
    return texts
