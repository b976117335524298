"""HDFS as a storage, through WebHDFS or an HttpFS gateway."""

from __future__ import annotations

import errno
import io
import os
import posixpath
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, BinaryIO, Iterator, Mapping

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.storage import (
    Checksum,
    Entry,
    Upload,
    below,
    normalize,
    partial_name,
    with_path_in_errors,
)
from openpai.storage.base import ServedStorage, require_file, require_not_root
from openpai.storage.hdfs.client import WebHdfs
from openpai.storage.hdfs.rename import replace
from openpai.storage.hdfs.upload import PART, HdfsUpload, begin_parts

__all__ = ["HdfsStorage"]

#: Identifies a version of a file.
_VERSION = ("fileId", "length", "modificationTime")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class HdfsStorage(ServedStorage):
    """Files below one folder of HDFS.

    A file is first written under another name in the same folder and then renamed over the old
    one. An HttpFS gateway cannot do that in one step: there the old file is renamed to
    ``.opai-….old`` for a moment, then deleted. Permission bits are kept, times to the millisecond.

    Args:
        client: The client of the name node.
        name: The storage's name.
        root: The folder, which need not exist yet.
        read_only: Whether to refuse every change.
        part_size: Part size in bytes if the server does not report its default block size.
    """

    def __init__(
        self,
        client: WebHdfs,
        name: str,
        root: str = "/",
        *,
        read_only: bool = False,
        part_size: int = PART,
    ) -> None:
        super().__init__(name, read_only=read_only)
        self._client = client
        self._root = normalize(root).rstrip("/")
        self._part_size = part_size
        self._kept: set[tuple[str, int | None]] = set()

    def _stat(self, path: str) -> Entry:
        return _entry(path, self._status(path))

    def _status(self, path: str) -> Mapping[str, Any]:
        status: Mapping[str, Any] = self._ask("GET", path, "GETFILESTATUS")["FileStatus"]
        return status

    def _list(self, path: str) -> Iterator[Entry]:
        with with_path_in_errors(self.where(path)):
            found = self._ask("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]
            if len(found) == 1 and not found[0]["pathSuffix"]:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        for status in sorted(found, key=lambda status: str(status["pathSuffix"])):
            yield _entry(below(path, str(status["pathSuffix"])), status)

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open a file for reading ``length`` bytes from ``offset`` (to the end without a length).

        Raises:
            ConnectionFailed: HDFS does not answer; reading raises it when the connection is cut.
        """
        path = normalize(path)
        with with_path_in_errors(self.where(path)):
            if not offset and length is None:
                content = self._small(path)
                if content is not None:
                    return io.BytesIO(content)
            status = self._status(path)
            entry = _entry(path, status)
            require_file(entry)
            left = max(entry.size - offset, 0)
            count = left if length is None else min(length, left)
            if not count:
                return io.BytesIO()
            same = partial(self._is_still, path, status)
            return self._client.open(self._full(path), offset, count, same)

    def _small(self, path: str) -> bytes | None:
        """Return a small file without asking for its size; ``None``: ask, or for the error."""
        try:
            return self._client.read_small(self._full(path))
        except (OSError, StorageError):
            return None

    def _is_still(self, path: str, status: Mapping[str, Any]) -> bool:
        """Whether a file is the one that was described."""
        now = self._status(path)
        return all(now.get(key) == status.get(key) for key in _VERSION)

    @contextmanager
    def open_write(
        self, path: str, *, mode: int | None = None, modified: datetime | None = None
    ) -> Iterator[BinaryIO]:
        """Write a file that appears under its name only when the block ends without an error."""
        path = normalize(path)
        loose = posixpath.join(posixpath.dirname(path), partial_name())
        place, final = self._full(loose), self._full(path)

        def when_large() -> None:  # for a small one it is early enough at the end
            with with_path_in_errors(self.where(path)):
                require_file(self._stat_or_none(path))

        with self._changing(path):
            permission = {} if mode is None else {"permission": f"{mode & 0o777:o}"}
            upload = self._client.create(place, when_large, **permission)
            if self._client.is_gateway:
                require_file(self._stat_or_none(path))
        try:
            yield upload.stream
            with with_path_in_errors(self.where(path)):
                upload.finish()
                self._set_attributes(place, mode, modified, created=mode)
                self._put(place, path, final)
        except BaseException:
            upload.abort()
            with suppress(OSError, OpenPaiError):
                self._ask("DELETE", loose, "DELETE")
            raise

    def _put(self, place: str, path: str, final: str) -> None:
        try:
            replace(self._client, place, final)
        except (OSError, StorageError):
            require_file(self._stat_or_none(path))
            raise

    def _set_attributes(
        self, full: str, mode: int | None, modified: datetime | None, *, created: int | None = None
    ) -> None:
        """Set permission bits and time; ``created``: the bits that CREATE was given.

        Some servers take the bits of their umask off those, or a folder adds its own; the first
        file of each kind tells.
        """
        kind = (posixpath.dirname(full), created)
        if mode is not None and (created is None or kind not in self._kept):
            status = self._client.ask("GET", full, "GETFILESTATUS")["FileStatus"]
            if int(status["permission"], 8) & 0o777 != mode & 0o777:
                self._client.ask("PUT", full, "SETPERMISSION", permission=f"{mode & 0o777:o}")
            elif created is not None:
                self._kept.add(kind)
        if modified is not None:
            time = (modified - _EPOCH) // timedelta(milliseconds=1)
            self._client.ask("PUT", full, "SETTIMES", modificationtime=time)

    def checksum(self, path: str) -> Checksum | None:
        """Return what a data node computes of a file: the MD5 of the MD5s of its blocks' CRCs.

        Computing the same here takes the extra ``openpai-storage[crc32c]``.
        """
        path = normalize(path)
        with with_path_in_errors(self.where(path)):
            try:
                found = self._client.request_data_node("GET", self._full(path), "GETFILECHECKSUM")
            except FileNotFoundError:
                require_file(self._stat_or_none(path))
                raise
            except StorageError:  # such as that of a server that does not know the question
                return None
        return _checksum(found["FileChecksum"])

    def begin_upload(
        self,
        path: str,
        size: int,
        *,
        token: str | None = None,
        mode: int | None = None,
        modified: datetime | None = None,
    ) -> Upload | None:
        """Begin to write a file of several blocks in parts, or resume it."""
        path = normalize(path)
        parent = self._full(posixpath.dirname(path))
        with self._changing(path):
            require_file(self._stat_or_none(path))
            begun = begin_parts(self._client, parent, token, size, self._part_size)
        if begun is None:
            return None

        def finish(joined: str) -> None:
            require_file(self._stat_or_none(path))
            self._set_attributes(joined, mode, modified)
            self._put(joined, path, self._full(path))

        folder, part, algorithm = begun
        return HdfsUpload(
            *(self._client, folder),
            size=size,
            part_size=part,
            algorithm=algorithm,
            finish=finish,
            where=self.where(path),
        )

    def mkdir(self, path: str) -> None:
        """Make a folder and its missing parents; an existing folder is fine."""
        with self._changing(path):
            self._mkdir(normalize(path))

    def _mkdir(self, path: str) -> None:
        if not self._ask("PUT", path, "MKDIRS")["boolean"]:
            raise OSError(errno.EIO, "HDFS did not make the folder")

    def _rename(self, moved: Entry, target: str) -> None:
        self._mkdir(posixpath.dirname(target))
        replace(self._client, self._full(moved.path), self._full(target))

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._client.close()

    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file, an empty folder, or with ``recursive`` a whole tree."""
        path = normalize(path)
        with self._changing(path):
            require_not_root(path)
            answer = self._ask("DELETE", path, "DELETE", recursive=str(recursive).lower())
            if not answer["boolean"]:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _ask(self, method: str, path: str, op: str, **params: Any) -> Any:
        return self._client.ask(method, self._full(path), op, **params)

    def _full(self, path: str) -> str:
        return self._root + path if path != "/" else self._root or "/"


def _entry(path: str, status: Mapping[str, Any]) -> Entry:
    is_dir = status["type"] == "DIRECTORY"
    return Entry(
        path=path,
        is_dir=is_dir,
        size=0 if is_dir else int(status["length"]),
        modified=_EPOCH + timedelta(milliseconds=int(status["modificationTime"])),
        mode=int(status["permission"], 8) & 0o777,
    )


def _checksum(answer: Mapping[str, Any]) -> Checksum | None:
    """Read an answer; its bytes are two numbers, of 4 and 8 bytes, and the MD5."""
    name, value = str(answer["algorithm"]), str(answer["bytes"])
    if "-of-0CRC" in name:  # of an empty file
        return None
    if name == "COMPOSITE-CRC32C":
        return Checksum("crc32c", value[:8])
    return Checksum(name, value[24:56])
