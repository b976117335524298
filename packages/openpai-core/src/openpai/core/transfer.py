"""Copy files and trees between storages, or between a storage and this machine.

Every file appears under its name only when it is whole, its size is compared after writing, and a
source that changes while it is read is an error, not a mixture. In a tree one file's failure does
not stop the rest. Running the same copy again sends only what is missing.

What is kept: contents, empty folders, and, where the target can, the permission bits and times of
files. Links are followed while they lead to something inside the tree.
"""

from __future__ import annotations

import errno
import os
import posixpath
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, Callable, Iterator, NamedTuple

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.folder import FolderStorage
from openpai.core.storage import Entry, Storage, is_partial, naming, normalize

__all__ = [
    "Copied",
    "Failed",
    "Progress",
    "Transfer",
    "TransferError",
    "download",
    "local_place",
    "upload",
]

#: Called with the number of bytes that were just dealt with.
Progress = Callable[[int], None]

#: Bytes read at once.
CHUNK = 1 << 20

#: Files up to so many bytes are compared by content, larger ones by size and time where that is
#: possible: files written in the same tick of the clock have the same time.
COMPARED = 16 << 20


@dataclass(frozen=True)
class Copied:
    """One file that is now at the target.

    Attributes:
        source: Where it came from, named for people.
        target: Where it is now, named for people.
        size: Bytes.
        unchanged: Whether it was there already and nothing was sent.
    """

    source: str
    target: str
    size: int
    unchanged: bool = False


@dataclass(frozen=True)
class Failed:
    """One file or folder that could not be copied.

    Attributes:
        source: What was to be copied, named for people.
        target: Where it was to go, named for people.
        error: Why it was not.
    """

    source: str
    target: str
    error: Exception


class TransferError(StorageError):
    """Some files of a tree could not be copied; the others were.

    Attributes:
        failed: What could not be copied, and why.
        copied: What is at the target.
    """

    def __init__(self, failed: list[Failed], copied: list[Copied]) -> None:
        total = len(failed) + len(copied)
        first = failed[0].error
        reason = getattr(first, "strerror", None) or str(first).rstrip(".")
        super().__init__(
            f"{len(failed)} of {total} were not copied, the first being "
            f"{failed[0].source}: {reason}.",
            "Ask for overwrite to replace files that differ."
            if all(isinstance(item.error, FileExistsError) for item in failed)
            else "Run the same command again to copy only what is missing.",
        )
        self.failed = tuple(failed)
        self.copied = tuple(copied)


class _Step(NamedTuple):
    entry: Entry
    target: str


class Transfer:
    """A copy that has been planned: the source was walked, nothing is written yet.

    Args:
        source: The storage to read.
        path: A file or a folder in it.
        target: The storage to write.
        target_path: The name that the file or folder gets there; a folder is merged into an
            existing one.

    Attributes:
        size: Bytes of all files found.
        files: Number of files found.

    Raises:
        FileNotFoundError: The source does not exist.
    """

    def __init__(self, source: Storage, path: str, target: Storage, target_path: str) -> None:
        self._source = source
        self._target = target
        self._unlisted: list[Failed] = []
        self._root = source.stat(path)
        self._steps = list(self._walk(self._root, normalize(target_path)))
        self.size = sum(step.entry.size for step in self._steps)
        self.files = sum(not step.entry.is_dir for step in self._steps)

    def run(
        self,
        *,
        overwrite: bool = False,
        on_file: Callable[[Copied], None] | None = None,
        on_bytes: Progress | None = None,
    ) -> list[Copied]:
        """Copy everything.

        Args:
            overwrite: Whether to replace files that exist and differ.
            on_file: Called after each file.
            on_bytes: Called with each number of bytes copied or found to be there already.

        Returns:
            The files, in the order of the walk.

        Raises:
            TransferError: Parts of a tree could not be copied; the rest was.
            FileExistsError: The single file exists, differs, and ``overwrite`` is false.
            StorageError: The single file changed while it was read, or did not arrive whole.
            OSError: The single file could not be read or written.
        """
        copied: list[Copied] = []
        failed = list(self._unlisted)
        blocked = ""
        for step in self._steps:
            if blocked and step.entry.path.startswith(blocked):
                continue
            try:
                done = self._do(step, overwrite, on_bytes or _ignore)
            except (OSError, OpenPaiError) as error:
                failed.append(self._failure(step, error))
                blocked = step.entry.path.rstrip("/") + "/" if step.entry.is_dir else blocked
                continue
            if done:
                copied.append(done)
                if on_file:
                    on_file(done)
        if failed and not self._root.is_dir:
            raise failed[0].error
        if failed:
            raise TransferError(failed, copied)
        return copied

    def _walk(self, entry: Entry, target: str) -> Iterator[_Step]:
        yield _Step(entry, target)
        if not entry.is_dir:
            return
        try:
            below = list(self._source.list(entry.path))
        except OSError as error:
            self._unlisted.append(self._failure(_Step(entry, target), error))
            return
        for child in below:
            if not is_partial(child.name):
                yield from self._walk(child, posixpath.join(target, child.name))

    def _do(self, step: _Step, overwrite: bool, on_bytes: Progress) -> Copied | None:
        """Make one folder or copy one file."""
        if step.entry.is_dir:
            self._target.mkdir(step.target)
            return None
        where = self._source.where(step.entry.path), self._target.where(step.target)
        before = self._source.stat(step.entry.path)
        if self._is_there(before, step.target, overwrite):
            on_bytes(before.size)
            return Copied(*where, before.size, unchanged=True)
        self._send(before, step.target, on_bytes)
        arrived = self._target.stat(step.target).size
        if arrived != before.size:
            raise StorageError(f"{where[1]} has {arrived} bytes instead of {before.size}.")
        return Copied(*where, before.size)

    def _send(self, before: Entry, target: str, on_bytes: Progress) -> None:
        read_from, write_to = self._source.where(before.path), self._target.where(target)
        sent = 0
        with self._source.open_read(before.path) as reader, self._target.open_write(
            target, mode=before.mode, modified=before.modified
        ) as writer:
            for chunk in _chunks(reader, read_from):
                with naming(write_to):
                    writer.write(chunk)
                sent += len(chunk)
                on_bytes(len(chunk))
            after = self._source.stat(before.path)
            if sent != before.size or (after.size, after.modified) != (
                before.size,
                before.modified,
            ):
                raise StorageError(f"{read_from} changed while it was read.", "Copy it again.")

    def _is_there(self, source: Entry, target: str, overwrite: bool) -> bool:
        """Whether the target has this very file.

        A large file of the same size and time does. Otherwise contents are compared, which costs
        reading the target; where only the size is the same, ``overwrite`` does without that.
        """
        try:
            found = self._target.stat(target)
        except FileNotFoundError:
            return False
        if found.is_dir:
            raise IsADirectoryError(errno.EISDIR, "Is a folder", self._target.where(target))
        if found.size == source.size:
            same_time = _same_time(source, found)
            if same_time and source.size > COMPARED:
                return True
            if (same_time or not overwrite) and self._same_content(source, target):
                return True
        if overwrite:
            return False
        raise FileExistsError(
            errno.EEXIST, "Exists and differs (overwrite replaces it)", self._target.where(target)
        )

    def _same_content(self, source: Entry, target: str) -> bool:
        with self._source.open_read(source.path) as left, self._target.open_read(target) as right:
            ours = _chunks(left, self._source.where(source.path))
            theirs = _chunks(right, self._target.where(target))
            return all(a == b for a, b in zip_longest(ours, theirs))

    def _failure(self, step: _Step, error: Exception) -> Failed:
        where = self._source.where(step.entry.path), self._target.where(step.target)
        return Failed(*where, error)


def upload(
    storage: Storage,
    local: Path,
    remote: str,
    *,
    overwrite: bool = False,
    on_file: Callable[[Copied], None] | None = None,
    on_bytes: Progress | None = None,
) -> list[Copied]:
    """Copy a file or a tree of this machine to ``remote``; see :class:`Transfer`."""
    transfer = Transfer(*local_place(local), storage, remote)
    return transfer.run(overwrite=overwrite, on_file=on_file, on_bytes=on_bytes)


def download(
    storage: Storage,
    remote: str,
    local: Path,
    *,
    overwrite: bool = False,
    on_file: Callable[[Copied], None] | None = None,
    on_bytes: Progress | None = None,
) -> list[Copied]:
    """Copy a file or a tree of a storage to ``local`` on this machine; see :class:`Transfer`."""
    transfer = Transfer(storage, remote, *local_place(local))
    return transfer.run(overwrite=overwrite, on_file=on_file, on_bytes=on_bytes)


def local_place(local: Path) -> tuple[FolderStorage, str]:
    """Return a place of this machine as (storage, path): the storage ends where the tree does.

    An existing folder is a storage of its own, so that links which lead out of it are refused;
    anything else lies in the storage that is its parent folder.
    """
    real = Path(os.path.realpath(local))
    if real.is_dir():
        return FolderStorage(real), "/"
    return FolderStorage(real.parent), "/" + real.name


def _chunks(stream: BinaryIO, where: str) -> Iterator[bytes]:
    while True:
        with naming(where):
            chunk = stream.read(CHUNK)
        if not chunk:
            return
        yield chunk


def _same_time(a: Entry, b: Entry) -> bool:
    """Whether two files were last changed in the same millisecond, the finest that all keep."""
    if a.modified is None or b.modified is None:
        return False
    return abs(a.modified - b.modified) < timedelta(milliseconds=1)


def _ignore(count: int) -> None:
    pass
