"""Check names from listings, archives and responses before they become part of a path.

A server may list any names. In a path, ``..``, an empty name or one with a slash leads out of the
folder that was listed.
"""

from __future__ import annotations

from typing import Iterable, Iterator, TypeVar

from openpai.core.errors import RefusedNamesError

__all__ = ["Accepted", "is_file_name"]

T = TypeVar("T")

_PLACES = frozenset(("", ".", ".."))


def is_file_name(name: str) -> bool:
    """Whether a name can be that of a file in a folder, on every POSIX file system."""
    return name not in _PLACES and "/" not in name and "\0" not in name


class Accepted(Iterator[T]):
    """Iterates over a listing and defers the error about refused names to :meth:`check`.

    So that the accepted names are handled first::

        entries = Accepted(storage.list(folder))
        show(entries)
        entries.check()

    Attributes:
        error: The error about refused names, after the end of the listing.
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
        """Raise the error about refused names, if any.

        Raises:
            RefusedNamesError: The listing had names that are not file names.
        """
        if self.error:
            raise self.error
