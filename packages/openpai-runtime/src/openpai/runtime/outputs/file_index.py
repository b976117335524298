"""Which files are to be saved, and what became of each; of a million no more memory than of few."""

from __future__ import annotations

import os
from typing import Iterator, NamedTuple

__all__ = ["MANY", "File", "Ledger", "grown"]

_PAGE = 1000
_ROOM = 1 << 30
_TABLE = """CREATE TABLE file (is_glob INT, size INT, path BLOB PRIMARY KEY, root BLOB,
    is_saved INT DEFAULT 0, note TEXT DEFAULT '') WITHOUT ROWID"""

MANY = 1_000
"""So many files do not fit into the memory of every container."""


class File(NamedTuple):
    """A file to be saved.

    Attributes:
        is_glob: Whether a pattern found it, so that it comes after those that are named.
        size: Its size in bytes, when it was found or when it was saved.
        root: The folder that ``path`` is relative to.
        path: Its path, which is also its name among the outputs.
        note: Of a saved one its SHA-256, of another why it is not.
    """

    is_glob: bool
    size: int
    root: str
    path: str
    note: str = ""


class Ledger:
    """Files in memory: for few of them, and for a Python without SQLite."""

    def __init__(self) -> None:
        self._open: dict[str, File] = {}
        self._saved: dict[str, File] = {}
        self._size = 0

    def add(self, file: File) -> None:
        """Enter a file, unless it is entered already."""
        self._open.setdefault(file.path, file)

    def is_empty(self) -> bool:
        """Whether no file was entered."""
        return not self._open and not self._saved

    def open_files(self) -> Iterator[File]:
        """Yield what is not saved yet: the named before others, the small before the large."""
        yield from sorted(self._open.values())

    def saved_files(self) -> Iterator[File]:
        """Yield what is saved."""
        yield from self._saved.values()

    def count(self) -> tuple[int, int, int]:
        """Return how many files are open, how many are saved, and the bytes of the latter."""
        return len(self._open), len(self._saved), self._size

    def save(self, file: File, size: int, note: str) -> None:
        """Note that a file is saved."""
        self._open.pop(file.path, None)
        self._saved[file.path] = file._replace(size=size, note=note)
        self._size += size

    def fail(self, file: File, note: str) -> None:
        """Note why a file is not saved."""
        self._open[file.path] = file._replace(note=note)

    def close(self) -> None:
        """Forget everything."""


class _SqlLedger(Ledger):
    """Files in a private database that goes to the disk when it gets large."""

    def __init__(self) -> None:
        import shutil
        import sqlite3
        import tempfile

        super().__init__()
        # Where the disk has no room, memory: a database takes a third of what Python does.
        place = "" if shutil.disk_usage(tempfile.gettempdir()).free > _ROOM else ":memory:"
        self._base = sqlite3.connect(place, isolation_level=None)
        for line in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -8192",
            _TABLE,
            "CREATE INDEX open ON file (is_glob, size, path) WHERE is_saved = 0",
            "BEGIN",  # for ever: nobody needs it on the disk
        ):
            self._base.execute(line)

    def add(self, file: File) -> None:
        self._base.execute(
            "INSERT OR IGNORE INTO file (is_glob, size, path, root) VALUES (?, ?, ?, ?)",
            (int(file.is_glob), file.size, os.fsencode(file.path), os.fsencode(file.root)),
        )

    def is_empty(self) -> bool:
        return self._base.execute("SELECT 1 FROM file LIMIT 1").fetchone() is None

    def open_files(self) -> Iterator[File]:
        last = (-1, -1, b"")
        while True:  # in pages, as what is yielded changes the table
            rows = self._base.execute(
                "SELECT is_glob, size, root, path, note FROM file WHERE is_saved = 0"
                " AND (is_glob, size, path) > (?, ?, ?) ORDER BY is_glob, size, path LIMIT ?",
                (*last, _PAGE),
            ).fetchall()
            if not rows:
                return
            last = (rows[-1][0], rows[-1][1], rows[-1][3])
            yield from map(_file, rows)

    def saved_files(self) -> Iterator[File]:
        yield from map(
            _file,
            self._base.execute(
                "SELECT is_glob, size, root, path, note FROM file WHERE is_saved = 1"
            ),
        )

    def count(self) -> tuple[int, int, int]:
        open_, saved, size = self._base.execute(
            "SELECT COUNT(*) - TOTAL(is_saved), TOTAL(is_saved), TOTAL(is_saved * size) FROM file"
        ).fetchone()
        return int(open_), int(saved), int(size)

    def save(self, file: File, size: int, note: str) -> None:
        self._base.execute(
            "UPDATE file SET is_saved = 1, size = ?, note = ? WHERE path = ?",
            (size, note, os.fsencode(file.path)),
        )

    def fail(self, file: File, note: str) -> None:
        self._base.execute(
            "UPDATE file SET note = ? WHERE path = ?", (note, os.fsencode(file.path))
        )

    def close(self) -> None:
        self._base.close()


def _file(row: tuple[int, int, bytes, bytes, str]) -> File:
    is_glob, size, root, path, note = row
    return File(bool(is_glob), size, os.fsdecode(root), os.fsdecode(path), note)


def grown(ledger: Ledger) -> Ledger:
    """Return a ledger that is fit for many files, with those that this one has.

    Where Python has no SQLite, or there is no room for it, that is the same one.
    """
    try:
        larger = _SqlLedger()
    except (ImportError, OSError):
        return ledger
    for file in ledger.open_files():
        larger.add(file)
    return larger
