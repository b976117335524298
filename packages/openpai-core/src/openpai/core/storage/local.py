"""A folder of this machine as a storage: a mount, or the local side of every transfer.

No path leads out of the folder, not even through symbolic links: a link is followed while what it
leads to lies inside, and refused otherwise. This guards against mistakes and foreign trees, not
against a process that swaps links while a file is opened.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
import shutil
import stat
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO, Iterator, cast

from openpai.core.storage.base import Entry, Storage
from openpai.core.storage.local_upload import PART, FolderUpload, abandoned
from openpai.core.storage.paths import normalize, with_path_in_errors
from openpai.core.storage.temp_files import is_partial, partial_name, parts_name

__all__ = ["LocalStorage"]

_READABLE = (stat.S_IFREG, stat.S_IFDIR)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class LocalStorage(Storage):
    """Files below one folder of this machine.

    A file is first written under another name in the same folder (see
    :func:`~openpai.core.storage.base.partial_name`) and then renamed. Permission bits and, to the
    microsecond, times are kept.

    Args:
        root: The folder; if it does not exist, writing makes it.
        name: The storage's name; without one, messages show the paths of this machine.
        read_only: Whether to refuse every change.
    """

    def __init__(self, root: Path, name: str = "", *, read_only: bool = False) -> None:
        self.name = name
        self.root = Path(os.path.realpath(root))
        self.read_only = read_only
        self._prefix = str(self.root).rstrip("/")
        self.case_sensitive = not _same_in_other_case(self.root)

    def where(self, path: str) -> str:
        """Name a path for people: ``NAME:/PATH``, or the path on this machine."""
        path = normalize(path)
        if self.name:
            return f"{self.name}:{path}"
        return f"{self._prefix}{path}" if path != "/" else str(self.root)

    def stat(self, path: str) -> Entry:
        """Describe one file or folder; a link is described by what it leads to."""
        path = normalize(path)
        with with_path_in_errors(self.where(path)):
            return _entry(path, self._real(path).stat())

    def _list(self, path: str) -> Iterator[Entry]:
        """Yield what is directly in a folder, sorted by name.

        A link that leads nowhere, out of the storage, or back to a folder above it appears as an
        empty file, so that no walk is endless; opening it says what is wrong.
        """
        with with_path_in_errors(self.where(path)):
            real = self._real(path)
            names = sorted(os.listdir(real))  # noqa: PTH208 - names alone, without a Path for each
        begin, real_begin = f"{path}/" if path != "/" else path, f"{real}/"
        for name in names:
            try:
                found = os.lstat(real_begin + name)
            except FileNotFoundError:  # deleted meanwhile
                continue
            if stat.S_ISLNK(found.st_mode):
                yield self._followed(begin + name, found)
            else:
                yield _entry(begin + name, found)

    def _followed(self, path: str, found: os.stat_result) -> Entry:
        try:
            followed = self.stat(path)
        except OSError as error:
            leads = "A link to nowhere" if error.errno == errno.ENOENT else error.strerror
            return replace(_entry(path, found), problem=leads or str(error))
        above = {self._real(parent) for parent in _parents(posixpath.dirname(path))}
        if followed.is_dir and self._real(path) in above:
            return replace(_entry(path, found), problem="A link back to a folder above it")
        return followed

    def open_read(self, path: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Open a file for reading ``length`` bytes from ``offset`` (to the end without a length).

        Raises:
            OSError: Also when it is a pipe, a socket or a device (``errno.EINVAL``).
        """
        with with_path_in_errors(self.where(path)):
            real = self._real(path)
            kind = real.stat().st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                raise OSError(errno.EINVAL, "Not a regular file")
            stream = real.open("rb")
        stream.seek(offset)
        if length is None:
            return stream
        return cast(BinaryIO, io.BufferedReader(_Section(stream, length)))

    @contextmanager
    def open_write(
        self, path: str, *, mode: int | None = None, modified: datetime | None = None
    ) -> Iterator[BinaryIO]:
        """Write a file that appears under its name only when the block ends without an error."""
        with self._changing(path):
            real = self._real(path)
            if real.is_dir():
                raise IsADirectoryError(errno.EISDIR, "Is a folder")
            _make_parents(real)
            partial = real.with_name(partial_name())
            stream = _create(partial, private=mode is not None)
        try:
            try:
                yield stream
            finally:
                with with_path_in_errors(self.where(path)):
                    stream.close()
            with with_path_in_errors(self.where(path)):
                _describe(partial, mode, modified)
                partial.replace(real)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise

    def begin_upload(
        self,
        path: str,
        size: int,
        *,
        token: str | None = None,
        mode: int | None = None,
        modified: datetime | None = None,
    ) -> FolderUpload | None:
        """Begin to write a file in parts; files of one part are not worth it."""
        if size <= PART:
            return None
        where = self.where(path)

        def describe(partial: Path) -> None:
            _describe(partial, mode, modified)

        with self._changing(path):
            real = self._real(path)
            if real.is_dir():
                raise IsADirectoryError(errno.EISDIR, "Is a folder")
            _make_parents(real)
            begun = _reopened(real, token)
            if begun:
                upload = FolderUpload(real, *begun, size=size, describe=describe, where=where)
                if upload.fits:
                    return upload
                upload.abort()
            partial = real.with_name(parts_name())
            stream = _create(partial, private=mode is not None, mode="w+b")
            upload = FolderUpload(real, partial, stream, size=size, describe=describe, where=where)
            with abandoned(upload):
                upload.prepare()
        return upload

    def mkdir(self, path: str) -> None:
        """Make a folder and its missing parents; an existing folder is fine."""
        with self._changing(path):
            self._real(path).mkdir(parents=True, exist_ok=True)

    def rename(self, source: str, target: str) -> None:
        """Move a file or folder; a link is moved itself."""
        with self._changing(source):
            old, new = self._place(source), self._place(target)
            moves_folder = stat.S_ISDIR(old.lstat().st_mode)
            if old in new.parents:
                raise OSError(errno.EINVAL, "A folder cannot be moved into itself")
        with with_path_in_errors(self.where(target)):
            if new.is_dir() or (moves_folder and new.exists()):
                raise FileExistsError(errno.EEXIST, "Exists already")
            _make_parents(new)
            old.replace(new)

    def copy(self, source: str, target: str) -> bool:
        """Give a file a second name, where the file system can and the name is free."""
        with self._changing(target):
            old, new = self._real(source), self._real(target)
            _make_parents(new)
            try:
                os.link(old, new)
            except OSError:
                return False
        return True

    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file, a link itself, an empty folder, or with ``recursive`` a whole tree."""
        with self._changing(path):
            place = self._place(path)
            if not stat.S_ISDIR(place.lstat().st_mode):
                place.unlink()
            elif recursive:
                shutil.rmtree(place)
            else:
                place.rmdir()

    def _place(self, path: str) -> Path:
        """Return where an entry lies: links above it are followed, it is not."""
        path = normalize(path)
        if path == "/":
            raise PermissionError(errno.EPERM, "The root of a storage stays where it is")
        return self._real(posixpath.dirname(path)) / posixpath.basename(path)

    def _real(self, path: str) -> Path:
        """Return the place on this machine with all links followed."""
        real = _resolved(f"{self._prefix}{normalize(path)}")
        if real != str(self.root) and not real.startswith(f"{self._prefix}/"):
            raise PermissionError(errno.EACCES, "A link leads out of the storage")
        return Path(real)


class _Section(io.RawIOBase):
    """The next ``length`` bytes of a stream, which it owns."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _resolved(place: str) -> str:
    """Return where a place is with all links followed, as ``os.path.realpath``, only faster.

    Linux reports it for an open file, even without permission to read it.
    """
    flags = getattr(os, "O_PATH", 0)
    if not flags:
        return os.path.realpath(place)
    try:
        number = os.open(place, flags | os.O_CLOEXEC)
    except FileNotFoundError:
        folder, _, name = place.rpartition("/")
        if not os.path.islink(place) and os.path.isdir(folder):  # noqa: PTH112, PTH114 - text
            return posixpath.join(_resolved(folder), name)
        return os.path.realpath(place)
    except OSError:
        return os.path.realpath(place)
    try:
        real = os.readlink(f"/proc/self/fd/{number}")
    except OSError:  # there is no /proc
        real = ""
    finally:
        os.close(number)
    if not real.startswith("/") or real.endswith(" (deleted)"):
        return os.path.realpath(place)
    return real


def _entry(path: str, found: os.stat_result) -> Entry:
    return Entry(
        path=path,
        is_dir=stat.S_ISDIR(found.st_mode),
        size=found.st_size if stat.S_ISREG(found.st_mode) else 0,
        modified=_time(found.st_mtime_ns),
        mode=found.st_mode & 0o777,
        problem="" if stat.S_IFMT(found.st_mode) in _READABLE else "Not a regular file",
    )


def _time(nanoseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:  # some file systems hold times after the year 9999
        return None


def _same_in_other_case(folder: Path) -> bool:
    """Whether the name of a folder in other case is the same folder."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    other = folder.name.swapcase()
    if other == folder.name:
        return False
    try:
        return folder.with_name(other).samefile(folder)
    except OSError:
        return False


def _parents(path: str) -> Iterator[str]:
    """Yield the path itself and every folder above it."""
    while path != "/":
        yield path
        path = posixpath.dirname(path)
    yield path


def _make_parents(real: Path) -> None:
    if real.parent.is_dir():
        return
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def _create(path: Path, *, private: bool, mode: str = "wb") -> BinaryIO:
    """Create a file; what will get its own permission bits is nobody else's until then."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    number = os.open(path, flags, 0o600 if private else 0o666)
    return cast(BinaryIO, os.fdopen(number, mode))


def _reopened(real: Path, token: str | None) -> tuple[Path, BinaryIO] | None:
    """Open the partial file that a token names, beside its final place; ``None`` without one."""
    if not token or "/" in token or not is_partial(token):
        return None
    partial = real.with_name(token)
    try:
        number = os.open(partial, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    return partial, cast(BinaryIO, os.fdopen(number, "r+b"))


def _describe(path: Path, mode: int | None, modified: datetime | None) -> None:
    if mode is not None:
        path.chmod(mode & 0o777)
    if modified is not None:
        nanoseconds = (modified - _EPOCH) // timedelta(microseconds=1) * 1000
        os.utime(path, ns=(nanoseconds, nanoseconds))
