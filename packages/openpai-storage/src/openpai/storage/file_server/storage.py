"""Base class of SFTP and SMB storages.

A file is first written under another name in the same folder and then renamed over the old one.
Links on the server are followed as the server follows them.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
from abc import abstractmethod
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import BinaryIO, Iterable, Iterator

from openpai.core.errors import OpenPaiError
from openpai.core.storage import (
    Entry,
    Upload,
    accept,
    is_partial,
    normalize,
    partial_name,
    with_entry,
    with_path_in_errors,
)
from openpai.storage.base import ServedStorage, parallel_map, require_file, require_not_root
from openpai.storage.file_server.streams import RemoteFile, Writer, reader
from openpai.storage.file_server.upload import PART, RemoteUpload

__all__ = ["FileServerStorage"]


class FileServerStorage(ServedStorage):
    """Files below one folder of a file server.

    Subclasses give the server's own operations. They take normalized paths inside the storage and
    raise ``OSError`` with an ``errno`` where files are the reason.

    Args:
        name: The storage's name.
        read_only: Whether to refuse every change.
    """

    @abstractmethod
    def _stat(self, path: str, *, follow: bool = True) -> Entry:
        """Describe a file or folder; without ``follow`` a link itself, as if it were a file."""

    @abstractmethod
    def _scan(self, path: str, *, follow: bool = True) -> Iterable[Entry]:
        """Describe what is in a folder, in any order, all at once."""

    @abstractmethod
    def _open(self, path: str, *, changing: bool = False) -> RemoteFile:
        """Open a file for reading, or also for ``changing``; raise ``IsADirectoryError``."""

    def _open_whole(self, path: str) -> tuple[RemoteFile | None, bytes, Entry | None]:
        """Open a file to read all of it.

        Returns:
            The file and its beginning; no file where that is all of it. And how the server
            described it after that, if it did.
        """
        return self._open(path), b"", None

    @abstractmethod
    def _create(self, path: str, *, private: bool) -> RemoteFile:
        """Make a file that must not exist yet, for reading and writing."""

    @abstractmethod
    def _set_attributes(self, path: str, mode: int | None, modified: datetime | None) -> None:
        """Set what the server keeps of these."""

    @abstractmethod
    def _replace(self, source: str, target: str) -> None:
        """Rename a folder, or a file over an existing one in one step."""

    def _commit(
        self,
        file: RemoteFile,
        names: tuple[str, str],
        mode: int | None,
        modified: datetime | None,
    ) -> Entry | None:
        """Close a partial file that is whole, and give it the second of the names.

        Returns:
            How the server described it after the last change, if it did.
        """
        file.close()
        self._set_attributes(names[0], mode, modified)
        self._replace(*names)
        return None

    def _write_small(
        self, data: bytes, names: tuple[str, str], mode: int | None, modified: datetime | None
    ) -> Entry | None:
        """Write a small file, under the first of the names before the second; else the same."""
        require_file(self._stat_or_none(names[1]))
        file = self._begin(names[0], private=mode is not None)
        try:
            if data:
                file.send(0, data)()
            return self._commit(file, names, mode, modified)
        except BaseException:
            with suppress(OSError, OpenPaiError):
                file.close()
            raise

    @abstractmethod
    def _make_folder(self, path: str) -> None:
        """Make one folder."""

    @abstractmethod
    def _remove(self, entry: Entry) -> None:
        """Remove a file, a link or an empty folder."""

    def _lstat(self, path: str) -> Entry:
        return self._stat(path, follow=False)

    def _list(self, path: str) -> Iterator[Entry]:
        """Yield what is directly in a folder, sorted by name.

        A link that leads nowhere, or back to a folder above it, appears as an empty file.
        """
        with with_path_in_errors(self.where(path)):
            yield from sorted(self._scan(path), key=lambda entry: entry.path)

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open a file for reading ``length`` bytes from ``offset`` (to the end without a length).

        Raises:
            ConnectionFailed: The server does not answer; reading raises it, too.
        """
        path = normalize(path)
        where = self.where(path)
        with with_path_in_errors(where):
            if offset or length is not None:
                return reader(self._open(path), offset, length, where)
            file, head, found = self._open_whole(path)
            stream = reader(file, 0, None, where, head) if file else io.BytesIO(head)
            return with_entry(stream, found)

    @contextmanager
    def open_write(
        self, path: str, *, mode: int | None = None, modified: datetime | None = None
    ) -> Iterator[BinaryIO]:
        """Write a file that appears under its name only when the block ends without an error."""
        path = normalize(path)
        partial = posixpath.join(posixpath.dirname(path), partial_name())
        with self._changing(path):
            pass  # or not, if the storage is read-only

        def begin() -> RemoteFile:
            require_file(self._stat_or_none(path))
            return self._begin(partial, private=mode is not None)

        writer = Writer(begin, self.where(path))
        try:
            yield writer.stream
            with with_path_in_errors(self.where(path)):
                done = writer.finish()
                put = self._write_small if isinstance(done, bytes) else self._commit
                found = put(done, (partial, path), mode, modified)  # type: ignore[arg-type]
            with_entry(writer.stream, found)
        except BaseException:
            with suppress(OSError, OpenPaiError):
                writer.abort()
            with suppress(OSError, OpenPaiError):
                self._remove(Entry(partial, False, 0))
            raise

    def begin_upload(
        self,
        path: str,
        size: int,
        *,
        token: str | None = None,
        mode: int | None = None,
        modified: datetime | None = None,
    ) -> Upload | None:
        """Begin to write a file in parts; files of one part are not worth it."""
        if size <= PART:
            return None
        path = normalize(path)
        going_on = token if token and is_partial(token) and "/" not in token else None
        name = going_on or partial_name()
        partial = posixpath.join(posixpath.dirname(path), name)

        def place() -> None:
            require_file(self._stat_or_none(path))
            self._set_attributes(partial, mode, modified)
            self._replace(partial, path)

        def upload(file: RemoteFile) -> RemoteUpload:
            return RemoteUpload(
                name,
                size,
                file,
                place=place,
                remove=lambda: self._remove(Entry(partial, False, 0)),
                where=self.where(path),
            )

        with self._changing(path):
            require_file(self._stat_or_none(path))
            if going_on:
                with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                    begun = upload(self._open(partial, changing=True))
                    if begun.fits:
                        return begun
                    begun.close()
                return self.begin_upload(path, size, mode=mode, modified=modified)
            begun = upload(self._begin(partial, private=mode is not None))
            try:
                begun.prepare()
            except BaseException:
                with suppress(OSError, OpenPaiError):
                    begun.abort()
                raise
            return begun

    def _begin(self, partial: str, *, private: bool) -> RemoteFile:
        """Make a file, and the folders above it only if they turn out to be missing."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return self._create(partial, private=private)
        self._make_folders(posixpath.dirname(partial))
        return self._create(partial, private=private)

    def mkdir(self, path: str) -> None:
        """Make a folder and its missing parents; an existing folder is fine."""
        path = normalize(path)
        with self._changing(path):
            found = self._stat_or_none(path)
            if found and not found.is_dir:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            if not found:
                self._make_folders(path)

    def _make_folders(self, path: str) -> None:
        found = self._stat_or_none(path)
        if found and not found.is_dir:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if found or path == "/":
            return
        self._make_folders(posixpath.dirname(path))
        try:
            self._make_folder(path)
        except OSError:  # perhaps another made it meanwhile
            found = self._stat_or_none(path)
            if not (found and found.is_dir):
                raise

    def _rename(self, moved: Entry, target: str) -> None:
        self._make_folders(posixpath.dirname(target))
        self._replace(moved.path, target)

    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file, a link itself, an empty folder, or with ``recursive`` a whole tree."""
        path = normalize(path)
        with self._changing(path):
            require_not_root(path)
            entry = self._stat(path, follow=False)
            if entry.is_dir and not recursive and list(self._scan(path, follow=False)):
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
            self._remove_tree(entry)

    def _remove_tree(self, entry: Entry) -> None:
        if entry.is_dir:
            files = []
            for child in accept(self._scan(entry.path, follow=False), entry.path, self.where):
                if child.is_dir:
                    self._remove_tree(child)
                else:
                    files.append(child)
            parallel_map(self._remove, files)
        self._remove(entry)

    def _stat_or_none(self, path: str) -> Entry | None:
        try:
            return self._stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
