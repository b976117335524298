"""Base class of storages on a server: check paths before changes, name them in errors."""

from __future__ import annotations

import errno
import os
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Callable, Iterable

from openpai.core.errors import StorageError
from openpai.core.storage import Entry, Storage, StorageSpec, normalize, with_path_in_errors

__all__ = [
    "ServedStorage",
    "parallel_map",
    "require_file",
    "require_not_root",
    "timeout_of",
]

#: Number of concurrent requests of one call.
THREADS = 8
#: Number of items queued at a time.
CHUNK = 100


class ServedStorage(Storage):
    """A storage whose server is asked what lies at a path before anything is changed there.

    Subclasses give the server's own operations. They take normalized paths inside the storage and
    raise ``OSError`` with an ``errno`` where files are the reason.

    Args:
        name: The storage's name.
        read_only: Whether to refuse every change.
    """

    def __init__(self, name: str, *, read_only: bool = False) -> None:
        self.name = name
        self.read_only = read_only

    @abstractmethod
    def _stat(self, path: str) -> Entry:
        """Describe a file or folder."""

    @abstractmethod
    def _rename(self, moved: Entry, target: str) -> None:
        """Move a file over an existing one, or a folder; make the target's missing parents."""

    def _lstat(self, path: str) -> Entry:
        """Describe an entry without following a link."""
        return self._stat(path)

    def stat(self, path: str) -> Entry:
        """Describe one file or folder; a link is described by what it leads to."""
        path = normalize(path)
        with with_path_in_errors(self.where(path)):
            return self._stat(path)

    def rename(self, source: str, target: str) -> None:
        """Move a file or folder; a file takes the place of an existing file in one step."""
        source, target = normalize(source), normalize(target)
        with self._changing(source):
            require_not_root(source)
            moved = self._lstat(source)
            if moved.is_dir and target.startswith(source + "/"):
                raise OSError(errno.EINVAL, "A folder cannot be moved into itself")
        with with_path_in_errors(self.where(target)):
            old = self._stat_or_none(target)
            if old and (old.is_dir or moved.is_dir):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            if target != source:
                self._rename(moved, target)

    def _stat_or_none(self, path: str) -> Entry | None:
        try:
            return self._stat(path)
        except FileNotFoundError:
            return None


def require_file(found: Entry | None) -> None:
    """Raise ``IsADirectoryError`` if an entry is a folder."""
    if found and found.is_dir:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def require_not_root(path: str) -> None:
    """Raise ``PermissionError`` for the root of a storage, which is never moved or deleted."""
    if path == "/":
        raise PermissionError(errno.EPERM, "The root of a storage stays where it is")


def parallel_map(act: Callable[[Any], object], items: Iterable[Any]) -> None:
    """Call a function for each item, several at a time; stop soon after the first error."""
    items = iter(items)
    with ThreadPoolExecutor(THREADS) as pool:
        while batch := list(islice(items, CHUNK)):
            for _ in pool.map(act, batch):
                pass


def timeout_of(spec: StorageSpec) -> float:
    """Return the seconds to wait for an answer: ``spec.data['timeout']``, or 60.

    Raises:
        StorageError: It is not a positive number.
    """
    given = spec.data.get("timeout") or 60
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise StorageError(
            f"invalid 'timeout' of storage '{spec.name}' '{given}': not a number above 0.",
            "Write one such as 60.",
        )
    return seconds
