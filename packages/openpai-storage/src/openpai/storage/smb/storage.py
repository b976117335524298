"""A folder of an SMB share, without a mount: Samba, Windows, Azure Files.

smbprotocol itself, and not fsspec's ``smb``, which is built on it: here files are renamed over old
ones when they are whole, several requests of a file are under way at once, and names that Windows
forbids are written as the Linux kernel writes them on its mounts, so jobs see the same names.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Iterator

from smbprotocol.file_info import FileAttributes

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.file_names import is_file_name
from openpai.core.storage import Entry, Storage, StorageSpec, below, normalize
from openpai.storage.base import require_file, timeout_of
from openpai.storage.file_server import FileServerStorage, RemoteFile
from openpai.storage.smb import compound
from openpai.storage.smb.connection import SmbLine
from openpai.storage.smb.names import to_smb, to_unix

__all__ = ["SmbStorage", "open_file_share", "open_share"]

_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)
#: So many bytes of a file are asked for as it is opened: what one credit pays for.
HEAD = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def open_share(spec: StorageSpec) -> Storage:
    """Open a share, or a folder of one.

    ``spec.data`` has ``address`` (``//HOST[:PORT]/SHARE[/FOLDER]``), ``username`` and ``password``,
    and may have ``domain`` and ``timeout`` (seconds to wait for an answer, 60 otherwise).

    Raises:
        StorageError: The address is missing or none.
    """
    data = spec.data
    host, _, rest = str(data.get("address") or "").replace("\\", "/").lstrip("/").partition("/")
    share, _, folder = rest.partition("/")
    server, port = _address(host)
    if not (server and port and share):
        raise StorageError(
            f"The 'address' of storage '{spec.name}' is not a share: '{data.get('address')}'.",
            "Write it as //HOST/SHARE.",
        )
    user = str(data.get("username") or data.get("user") or "")
    if data.get("domain"):
        user = f"{data['domain']}\\{user}"
    password = str(data.get("password") or "")
    line = SmbLine(server, port, share, user=user, password=password, timeout=timeout_of(spec))
    return SmbStorage(line, spec.name, folder, read_only=spec.read_only)


def open_file_share(spec: StorageSpec) -> Storage:
    """Open a share of Azure Files.

    ``spec.data`` has ``accountName``, ``accountKey`` and ``shareName``, and may have ``endpoint``
    (``HOST[:PORT]``, where it is not ``ACCOUNT.file.core.windows.net``), ``path`` (the folder that
    is the storage's root) and ``timeout``. What goes over the line is encrypted.

    Raises:
        StorageError: The account or its key is missing.
    """
    data = spec.data
    account, key = str(data.get("accountName") or ""), str(data.get("accountKey") or "")
    server, port = _address(str(data.get("endpoint") or f"{account}.file.core.windows.net"))
    if not (account and key and server and port):
        raise StorageError(
            f"Storage '{spec.name}' names no Azure account with a key.",
            "It needs 'accountName' and 'accountKey'; an 'endpoint' is HOST or HOST:PORT.",
        )
    line = SmbLine(
        server,
        port,
        str(data.get("shareName")),
        user=account,
        password=key,
        timeout=timeout_of(spec),
        encrypts=True,
    )
    return SmbStorage(line, spec.name, str(data.get("path") or "/"), read_only=spec.read_only)


def _address(text: str) -> tuple[str, int]:
    """Split ``HOST[:PORT]``; the port is 0 where it is none."""
    host, colon, port = text.partition(":")
    return host, 445 if not colon else int(port) if port.isdigit() else 0


class SmbStorage(FileServerStorage):
    """Files below one folder of a share.

    Times are kept to the microsecond, permission bits are not. Names that differ only in case are
    one name to the server.

    Args:
        line: The connection.
        name: The storage's name.
        root: The folder, which must exist.
        read_only: Whether to refuse every change.
    """

    def __init__(
        self, line: SmbLine, name: str, root: str = "/", *, read_only: bool = False
    ) -> None:
        super().__init__(name, read_only=read_only)
        self.case_sensitive = False
        self._connection = line
        self._root = normalize(root).rstrip("/")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _full(self, path: str) -> str:
        return to_smb(self._root + path)

    def _stat(self, path: str, *, follow: bool = True) -> Entry:
        if follow:
            return _entry(path, self._connection.query_info(self._full(path)))
        found = self._connection.call("lstat", self._full(path))
        is_dir = stat.S_ISDIR(found.st_mode)
        modified = _EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000)
        return Entry(path, is_dir, 0 if is_dir else found.st_size, modified)

    def _scan(self, path: str, *, follow: bool = True) -> Iterator[Entry]:
        for found in self._connection.scan(self._full(path)):
            name = to_unix(found.name)
            place = below(path, name)
            if follow and is_file_name(name) and found.is_symlink():
                yield self._stat(place)
                continue
            info = found.smb_info
            is_dir = found.is_dir(follow_symlinks=False)
            size = 0 if is_dir else int(info.end_of_file)
            yield Entry(place, is_dir, size, info.last_write_time)

    def _open(self, path: str, *, changing: bool = False) -> RemoteFile:
        return _SmbFile(
            self._connection, self._connection.open(self._full(path), "r+b" if changing else "rb")
        )

    def _open_whole(self, path: str) -> tuple[RemoteFile | None, bytes, Entry | None]:
        file, data = self._connection.read_whole(self._full(path), HEAD)
        if file.closed:
            return None, data, _entry(path, file.fd)
        return _SmbFile(self._connection, file), data, None

    def _create(self, path: str, *, private: bool) -> RemoteFile:  # noqa: ARG002 - has no bits
        return _SmbFile(self._connection, self._connection.create(self._full(path)))

    def _write_small(
        self, data: bytes, names: tuple[str, str], mode: int | None, modified: datetime | None
    ) -> Entry | None:
        require_file(self._stat_or_none(names[1]))
        file = self._begin(names[0], private=mode is not None)
        try:
            return self._write_and_commit(file, data, names, mode, modified)
        except BaseException:
            with suppress(OSError, OpenPaiError):
                file.close()
            raise

    def _commit(
        self,
        file: RemoteFile,
        names: tuple[str, str],
        mode: int | None,
        modified: datetime | None,
    ) -> Entry | None:
        return self._write_and_commit(file, b"", names, mode, modified)

    def _write_and_commit(
        self,
        file: RemoteFile,
        data: bytes,
        names: tuple[str, str],
        mode: int | None,
        modified: datetime | None,
    ) -> Entry | None:
        """Write, describe and rename a file while it is open.

        The time stays as it is set, though it may be set before something is written
        ([MS-FSA] 2.1.5.15.2). One that somebody else has open is tried again.
        """
        assert isinstance(file, _SmbFile)
        raw, name = file.raw, self._full(names[1]).rpartition("\\")[2]
        written = file.send(0, data) if data else None
        try:
            if modified is not None:
                when = modified
                self._connection.asked(lambda: compound.set_times(raw, when))
        finally:
            if written:
                written()
        try:
            found = _entry(
                names[1], self._connection.asked(lambda: compound.rename_and_close(raw, name))
            )
        except OSError:
            file.close()
            self._replace(*names)
            return None
        if modified is not None and found.modified != modified:  # closing it was a change, too
            self._set_attributes(names[1], mode, modified)
            return None
        return found

    def _set_attributes(self, path: str, mode: int | None, modified: datetime | None) -> None:  # noqa: ARG002
        if modified is not None:
            ticks = (modified - _EPOCH) // timedelta(microseconds=1) * 1000
            self._connection.call("utime", self._full(path), ns=(ticks, ticks))

    def _replace(self, source: str, target: str) -> None:
        old, new = self._full(source), self._full(target)
        for pause in _PAUSES:  # SMB replaces no file that somebody has open, if for a moment
            try:
                self._replace_once(old, new)
            except PermissionError:
                time.sleep(pause)
            else:
                return
        self._replace_once(old, new)

    def _replace_once(self, old: str, new: str) -> None:
        try:
            self._connection.call("replace", old, new)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            raise PermissionError(errno.EACCES, error.strerror) from None

    def _make_folder(self, path: str) -> None:
        self._connection.call("mkdir", self._full(path))

    def _remove(self, entry: Entry) -> None:
        self._connection.call("rmdir" if entry.is_dir else "remove", self._full(entry.path))


def _entry(path: str, info: Any) -> Entry:
    """Return the entry of an answer to an open or close request."""
    if info.file_attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY:
        return Entry(path, True, 0, info.last_write_time)
    return Entry(path, False, int(info.end_of_file), info.last_write_time)


class _SmbFile(RemoteFile):
    def __init__(self, line: SmbLine, file: Any) -> None:
        self._connection = line
        self.raw = file
        self.size = int(file.fd.end_of_file)

    def ask(self, offset: int, count: int) -> Callable[[], bytes]:
        size = self._connection.limit(self.raw, "read")
        waits = [
            self._connection.read(self.raw, at, min(size, offset + count - at))
            for at in range(offset, offset + count, size)
        ]
        return lambda: b"".join(wait() for wait in waits)

    def send(self, offset: int, data: bytes) -> Callable[[], None]:
        size = self._connection.limit(self.raw, "write")
        waits = [
            self._connection.write(self.raw, offset + at, data[at : at + size])
            for at in range(0, len(data), size)
        ]

        def wait() -> None:
            if sum(wait() for wait in waits) != len(data):
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        return wait

    def resize(self, size: int) -> None:
        self._connection.asked(lambda: self.raw.truncate(size))

    def close(self) -> None:
        self._connection.hang_up(self.raw)
