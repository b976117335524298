"""Object stores as storages: keys become paths.

An object store has no folders: ``a/b`` is one key. A folder is there while a key lies below it, or
while a marker object says so, which keeps empty ones. What is a file and a folder at once to the
store is shown as a file, and its name as a folder is refused, as are other names that no folder can
hold (``a//b``, ``a/../b``). An upload is one request or is committed at its end, so a file appears
whole. Renaming is copying in the store and then deleting: for a folder not in one step.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Iterator, cast

from openpai.core.errors import OpenPaiError
from openpai.core.storage import (
    Checksum,
    Entry,
    Upload,
    below,
    normalize,
    with_entry,
    with_path_in_errors,
)
from openpai.storage.base import ServedStorage, parallel_map, require_file, require_not_root
from openpai.storage.object_store.bucket import Bucket, BucketUpload, ObjectInfo, Streaming

__all__ = [
    "DirectoryCache",
    "DirectoryListing",
    "ObjectStorage",
]


#: Seconds for which a listing is valid; others may create folders in the meantime.
TTL = 10.0


#: Maximum number of cached names of a folder, and of cached folders.
MAX_ENTRIES = 10_000


class DirectoryListing:
    """The names of the folders that lie directly in a folder.

    Attributes:
        names: Those names; also of some that are gone.
        whole: Whether no other name is one.
        asked: Whether somebody has asked for them all, as long as there are few.
        lock: Held while they are asked for, so that other threads wait for that one answer.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.whole = False
        self.asked = False
        self.lock = threading.Lock()
        self._since = time.monotonic()

    def learn(self, names: set[str]) -> None:
        """Take the names that a listing gave, all of them."""
        if len(names) <= MAX_ENTRIES:
            self.names |= names
            self.whole = True

    @property
    def fresh(self) -> bool:
        """Whether it was begun a moment ago."""
        return time.monotonic() - self._since < TTL


class DirectoryCache:
    """Cache of the folders of a storage. Thread-safe."""

    def __init__(self) -> None:
        self._inside: dict[str, DirectoryListing] = {}

    def start(self, folder: str) -> DirectoryListing:
        """Begin to look what is in a folder; what is made meanwhile is noted, too."""
        if len(self._inside) >= MAX_ENTRIES:
            self._inside.clear()
        self._inside[folder] = begun = DirectoryListing()
        return begun

    def get(self, folder: str) -> DirectoryListing | None:
        """Return what is known of a folder: ``None`` if nobody looked a moment ago."""
        found = self._inside.get(folder)
        return found if found and found.fresh else None

    def add(self, folder: str) -> None:
        """Add a folder and its parents."""
        while folder != "/":
            above, name = posixpath.split(folder)
            found = self._inside.get(above)
            if found:
                found.names.add(name)
            folder = above

    def forget(self) -> None:
        """Forget everything: much has changed."""
        self._inside.clear()


#: Names of one page of a listing.
PAGE = 1000


class ObjectStorage(ServedStorage):
    """Files below one prefix of a bucket. No permission bits and no times are kept.

    Args:
        bucket: The bucket.
        name: The storage's name.
        root: The beginning of all keys, as a path.
        read_only: Whether to refuse every change.
    """

    def __init__(
        self, bucket: Bucket, name: str, root: str = "/", *, read_only: bool = False
    ) -> None:
        super().__init__(name, read_only=read_only)
        self.keeps_times = False
        self._bucket = bucket
        self._root = normalize(root)[1:] + "/" if normalize(root) != "/" else ""
        self._known: set[str] = set()
        self._folders = DirectoryCache()

    def close(self) -> None:
        """Close the connections."""
        self._bucket.close()

    def _stat(self, path: str) -> Entry:
        if path == "/":
            next(self._bucket.scan(self._root, limit=1), None)  # says so if there is no bucket
            return Entry(path, True, 0)
        found = self._bucket.head(self._key(path))
        if found and not found.is_folder:
            return Entry(path, False, found.size, found.modified, checksum=found.checksum)
        if found or next(self._bucket.scan(self._key(path) + "/", limit=1), None):
            return Entry(path, True, 0)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _list(self, path: str) -> Iterator[Entry]:
        entries: dict[str, Entry] = {}
        inside, folders = self._folders.start(path), set()
        with with_path_in_errors(self.where(path)):
            prefix = self._prefix(path)
            for found in self._bucket.scan(prefix, deep=False):
                if found.key == prefix:  # the object that keeps this very folder
                    continue
                name = found.key[len(prefix) :]
                name = name[:-1] if name.endswith("/") else name
                entry = _entry(below(path, name), found)
                if entry.is_dir:
                    folders.add(name)
                other = entries.setdefault(name, entry)
                if other.is_dir != entry.is_dir:  # the file keeps the name, the folder is refused
                    entries[f"{name}/"] = Entry(below(path, f"{name}/"), True, 0)
                if other.is_dir:
                    entries[name] = entry
            inside.learn(folders)
            if not entries and not self._stat(path).is_dir:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        yield from (entries[name] for name in sorted(entries))

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open a file for reading ``length`` bytes from ``offset`` (to the end without a length).

        Raises:
            ConnectionFailed: The store does not answer; reading raises it when the line is cut.
        """
        path = normalize(path)
        with with_path_in_errors(self.where(path)):
            if length == 0 or path == "/":
                require_file(self._stat(path))
                return io.BytesIO()
            try:
                stream = self._bucket.get(self._key(path), offset, length)
                return with_entry(stream, _entry(path, stream.found) if stream.found else None)
            except FileNotFoundError:
                require_file(self._stat(path))
                raise

    def checksum(self, path: str) -> Checksum | None:
        """Return the checksum that the store holds of a file."""
        path = normalize(path)
        with with_path_in_errors(self.where(path)):
            try:
                return self._bucket.checksum(self._key(path))
            except FileNotFoundError:
                require_file(self._stat(path))
                raise

    @contextmanager
    def open_write(
        self,
        path: str,
        *,
        mode: int | None = None,  # noqa: ARG002 - no object store keeps them
        modified: datetime | None = None,  # noqa: ARG002
    ) -> Iterator[BinaryIO]:
        """Write a file that appears under its name only when the block ends without an error."""
        path = normalize(path)
        with self._changing(path):
            self._check_writable(path)
        raw = Streaming(self._bucket, self._key(path), self.where(path))
        stream = cast(BinaryIO, io.BufferedWriter(raw, 1 << 20))
        try:
            yield stream
            stream.flush()
            with with_path_in_errors(self.where(path)):
                found = raw.finish()
            with_entry(stream, _entry(path, found) if found else None)
        except BaseException:
            with suppress(OSError, OpenPaiError):
                raw.abort()
            raise

    def begin_upload(
        self,
        path: str,
        size: int,
        *,
        token: str | None = None,
        mode: int | None = None,  # noqa: ARG002 - no object store keeps them
        modified: datetime | None = None,  # noqa: ARG002
    ) -> Upload | None:
        """Begin to write a file in parts; files of one part are not worth it."""
        path = normalize(path)
        part_size = self._bucket.part_size(size)
        if size <= part_size:
            return None
        with self._changing(path):
            self._check_writable(path)
            key = self._key(path)
            parts = self._bucket.resume_upload(key, token) if token else None
            return BucketUpload(
                parts or self._bucket.start_upload(key), size, part_size, self.where(path)
            )

    def mkdir(self, path: str) -> None:
        """Make a folder and its missing parents; an existing folder is fine."""
        path = normalize(path)
        with self._changing(path):
            self._check_name(path)
            found = self._stat_or_none(path)
            if found and not found.is_dir:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            if not found:
                self._check_parent(posixpath.dirname(path))
                self._folders.add(path)
                self._bucket.put_folder(self._key(path))

    def copy(self, source: str, target: str) -> bool:
        """Copy an object in the store."""
        target = normalize(target)
        with self._changing(target):
            self._check_writable(target)
            self._bucket.copy(self._key(normalize(source)), self._key(target))
        return True

    def rename(self, source: str, target: str) -> None:
        """Move a file over an existing one, or a folder: for a folder not in one step."""
        with with_path_in_errors(self.where(target)):
            self._check_name(normalize(target))
        super().rename(source, target)

    def _rename(self, moved: Entry, target: str) -> None:
        """Copy in the store and delete what was copied: for a folder not in one step.

        After an error a folder's source is whole, and parts of it may be at the target, too.
        """
        self._check_parent(posixpath.dirname(target))
        self._folders.forget()
        if moved.is_dir:
            self._copy_folder(self._key(moved.path), self._key(target))
        else:
            self._bucket.copy(self._key(moved.path), self._key(target))
        self._remove(moved)

    def _copy_folder(self, source: str, target: str) -> None:
        self._bucket.put_folder(target)

        def copy(found: ObjectInfo) -> None:
            self._bucket.copy(found.key, target + found.key[len(source) :])

        parallel_map(copy, self._bucket.scan(source + "/"))

    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file, an empty folder, or with ``recursive`` a whole tree."""
        path = normalize(path)
        with self._changing(path):
            require_not_root(path)
            entry = self._stat(path)
            if entry.is_dir and not recursive:
                below = islice(self._bucket.scan(self._key(path) + "/", limit=2), 2)
                if any(found.key != self._key(path) + "/" for found in below):
                    raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
            self._remove(entry)

    def _remove(self, entry: Entry) -> None:
        """Remove a file or a tree; the folder that held it stays, also when it is empty now."""
        self._known.clear()
        key = self._key(entry.path)
        if entry.is_dir:
            self._remove_below(key + "/")
        if not entry.is_dir or self._bucket.has_marker(key):
            self._bucket.remove([key])
        folder = posixpath.dirname(entry.path)
        if folder != "/" and not self._is_folder(folder):
            self._bucket.put_folder(self._key(folder))

    def _remove_below(self, prefix: str) -> None:
        found = self._bucket.scan(prefix)
        while True:
            keys = [item.key for item in islice(found, 1000)]
            if not keys:
                return
            self._bucket.remove(keys)

    def _check_name(self, path: str) -> None:
        reason = self._bucket.name_error(self._key(path))
        if reason:
            raise OSError(errno.EINVAL, reason)

    def _check_writable(self, path: str) -> None:
        self._check_name(path)
        if path == "/" or (self._may_be_folder(path) and self._is_folder(path)):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = posixpath.dirname(path)
        self._check_parent(folder)
        self._folders.add(folder)

    def _may_be_folder(self, path: str) -> bool:
        """Whether there may be a folder; the second file in a folder asks for all its folders."""
        folder, name = posixpath.split(path)
        inside = self._folders.get(folder)
        if inside is None:  # of a single file one asks for less
            self._folders.start(folder)
            return True
        with inside.lock:
            if not (inside.whole or inside.asked):
                inside.asked = True
                self._learn_folders(folder, inside)
        return not inside.whole or name in inside.names

    def _learn_folders(self, folder: str, inside: DirectoryListing) -> None:
        """Ask for the folders in a folder, if one page of a listing holds them."""
        prefix = self._prefix(folder)
        page = list(islice(self._bucket.scan(prefix, deep=False), PAGE))
        if len(page) < PAGE:
            inside.learn({item.key[len(prefix) :].rstrip("/") for item in page if item.is_folder})

    def _check_parent(self, folder: str) -> None:
        """Refuse to put something below a file; what was found to be none is remembered."""
        if folder == "/" or folder in self._known:
            return
        found = self._bucket.head(self._key(folder))
        if found and not found.is_folder:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        self._check_parent(posixpath.dirname(folder))
        self._known.add(folder)

    def _is_folder(self, path: str) -> bool:
        """Whether there is a folder: one request, unless other names begin with this one."""
        key = self._key(path)
        first = list(islice(self._bucket.scan(key, deep=False, limit=2), 2))
        if any(found.is_folder and found.key in (key, key + "/") for found in first):
            return True
        return len(first) == 2 and any(self._bucket.scan(key + "/", limit=1))

    def _prefix(self, folder: str) -> str:
        return self._root if folder == "/" else self._key(folder) + "/"

    def _key(self, path: str) -> str:
        key = self._root + path[1:]
        try:
            if self._bucket.exceeds_limit(key):
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        except UnicodeEncodeError:
            raise OSError(errno.EINVAL, "Object stores have names in Unicode only") from None
        return key


def _entry(path: str, found: ObjectInfo) -> Entry:
    if found.is_folder:
        return Entry(path, True, 0)
    return Entry(path, False, found.size, found.modified, checksum=found.checksum)
