"""Names that others chose, in a listing, an archive or an answer: which may become part of a path.

Whoever serves a listing decides what is in it. Put into a path, ``..``, an empty name or one with a
slash leads to another place than the folder that was listed.
"""

from __future__ import annotations

from typing import Iterable, Iterator, TypeVar

from openpai.core.errors import RefusedNamesError

__all__ = ["Accepted", "is_file_name"]

T = TypeVar("T")

_PLACES = frozenset(("", ".", ".."))


def is_file_name(name: str) -> bool:
    """Whether a name can be that of one file in one folder, on every POSIX file system."""
    return name not in _PLACES and "/" not in name and "\0" not in name


class Accepted(Iterator[T]):
    """Iterates over a listing and keeps the error about refused names until :meth:`check`.

    So what was listed can be dealt with first::

        entries = Accepted(storage.list(folder))
        show(entries)
        entries.check()

    Attributes:
        error: What names the refused ones, once the end is reached.
    """

    def __init__(self, listing: Iterable[T]) -> None:
        self._listing = iter(listing)
        self.error: RefusedNamesError | None = None

    def __next__(self) -> T:
        try:
            return next(self._listing)
        except RefusedNamesError as error:
            self.error = error
            raise StopIteration from None

    def check(self) -> None:
        """Raise the error about refused names, if there is one.

        Raises:
            RefusedNamesError: The listing had names that are not file names.
        """
        if self.error:
            raise self.error
