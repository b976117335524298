"""Which folders an object store has, as its listings tell: one question for many files."""

from __future__ import annotations

import posixpath
import time

__all__ = ["Folders", "Inside"]

#: So many seconds a listing tells what is there; others may make folders meanwhile.
FRESH = 10.0
#: So many names of one folder are remembered, and so many folders.
MOST = 10_000


class Inside:
    """The names of the folders that lie directly in a folder.

    Attributes:
        names: Those names; also of some that are gone.
        whole: Whether no other name is one.
        asked: Whether somebody has asked for them all, as long as there are few.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.whole = False
        self.asked = False
        self._since = time.monotonic()

    def learn(self, names: set[str]) -> None:
        """Take the names that a listing gave, all of them."""
        if len(names) <= MOST:
            self.names |= names
            self.whole = True

    @property
    def fresh(self) -> bool:
        """Whether it was begun a moment ago."""
        return time.monotonic() - self._since < FRESH


class Folders:
    """What is known of the folders of a storage. Threads may share it."""

    def __init__(self) -> None:
        self._inside: dict[str, Inside] = {}

    def look(self, folder: str) -> Inside:
        """Begin to look what is in a folder; what is made meanwhile is noted, too."""
        if len(self._inside) >= MOST:
            self._inside.clear()
        self._inside[folder] = begun = Inside()
        return begun

    def inside(self, folder: str) -> Inside | None:
        """Return what is known of a folder: ``None`` if nobody looked a moment ago."""
        found = self._inside.get(folder)
        return found if found and found.fresh else None

    def made(self, folder: str) -> None:
        """Note that a folder is there from now on, and those above it."""
        while folder != "/":
            above, name = posixpath.split(folder)
            found = self._inside.get(above)
            if found:
                found.names.add(name)
            folder = above

    def forget(self) -> None:
        """Forget everything: much has changed."""
        self._inside.clear()
