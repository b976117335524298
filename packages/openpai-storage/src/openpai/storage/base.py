"""Base class of the storages that talk to a server: stat first, refuse, name the path in errors."""

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
    "at_once",
    "refuse_folder",
    "refuse_root",
    "timeout_of",
]

#: Requests that one call sends at once where it has many to send.
THREADS = 8
#: So many wait for that at a time, of perhaps a million.
BATCH = 100


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

    def _stat_itself(self, path: str) -> Entry:
        """Describe what is to be moved: a link itself, where the server has links."""
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
            refuse_root(source)
            moved = self._stat_itself(source)
            if moved.is_dir and target.startswith(source + "/"):
                raise OSError(errno.EINVAL, "A folder cannot be moved into itself")
        with with_path_in_errors(self.where(target)):
            old = self._find(target)
            if old and (old.is_dir or moved.is_dir):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            if target != source:
                self._rename(moved, target)

    def _find(self, path: str) -> Entry | None:
        try:
            return self._stat(path)
        except FileNotFoundError:
            return None


def refuse_folder(found: Entry | None) -> None:
    """Raise ``IsADirectoryError`` where a file must be and a folder is."""
    if found and found.is_dir:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def refuse_root(path: str) -> None:
    """Raise ``PermissionError`` where the storage itself would be moved or deleted."""
    if path == "/":
        raise PermissionError(errno.EPERM, "The root of a storage stays where it is")


def at_once(act: Callable[[Any], object], items: Iterable[Any]) -> None:
    """Do something with many items, several at a time; the first error soon ends it."""
    items = iter(items)
    with ThreadPoolExecutor(THREADS) as pool:
        while batch := list(islice(items, BATCH)):
            for _ in pool.map(act, batch):
                pass


def timeout_of(spec: StorageSpec) -> float:
    """Return the seconds to wait for an answer: ``spec.data['timeout']``, or 60.

    Raises:
        StorageError: It is no number above 0.
    """
    told = spec.data.get("timeout") or 60
    try:
        seconds = float(told)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise StorageError(
            f"The 'timeout' of storage '{spec.name}' is no number of seconds: '{told}'.",
            "Write one such as 60.",
        )
    return seconds
