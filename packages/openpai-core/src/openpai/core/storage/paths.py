"""Paths inside a storage, and their form ``NAME:/PATH``."""

from __future__ import annotations

import errno
import posixpath
import re
from contextlib import contextmanager
from typing import Iterator, NamedTuple

from openpai.core.errors import StorageError

__all__ = ["StorageUri", "below", "normalize", "with_path_in_errors"]

#: Paths that are in their absolute form for sure: no part of them begins with a dot.
_NORMAL = re.compile(r"(?:/[^/.\0][^/\0]*)+\Z")


class StorageUri(NamedTuple):
    """A place in a storage: ``NAME:/PATH``.

    Attributes:
        storage: The storage's name, or ``""`` for the default storage.
        path: An absolute POSIX path.
    """

    storage: str
    path: str

    @classmethod
    def parse(cls, text: str) -> StorageUri:
        """Read ``NAME:/PATH`` or ``PATH`` (on the default storage).

        Raises:
            StorageError: The text names no path, or the path leaves the storage.
        """
        name, colon, path = text.partition(":")
        if not colon or "/" in name:
            name, path = "", text
        if not path:
            raise StorageError(f"'{text}' names no path.", "Write NAME:/PATH, or PATH alone.")
        return cls(name, normalize(path))

    def __str__(self) -> str:
        return f"{self.storage}:{self.path}" if self.storage else self.path


def normalize(path: str) -> str:
    """Return the absolute form of a POSIX path inside a storage.

    Raises:
        StorageError: The path climbs out of the storage by ``..`` or holds a NUL.
    """
    if _NORMAL.match(path):  # nearly all of millions of paths
        return path
    if "\0" in path:
        raise StorageError("A path must not hold a NUL character.")
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            raise StorageError(f"'{path}' leaves the storage.", "Remove the leading '..'.")
    return posixpath.normpath("/" + path.lstrip("/"))


@contextmanager
def with_path_in_errors(where: str) -> Iterator[None]:
    """Add the user's name of the file to file errors raised in the block.

    Raises:
        PermissionError: Also for a read-only file system, which Python has no class for.
        OSError: As raised in the block, with ``filename`` set to ``where``.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        kind = PermissionError if error.errno == errno.EROFS else OSError
        raise kind(error.errno, error.strerror, where) from None


def below(folder: str, name: str) -> str:
    """Return the path of what is listed in a folder, the name exactly as it is."""
    return f"/{name}" if folder == "/" else f"{folder}/{name}"
