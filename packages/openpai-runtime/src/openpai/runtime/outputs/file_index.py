"""Index of the files to save and of what became of each, in bounded memory."""

from __future__ import annotations

import os
from typing import Iterator, NamedTuple

__all__ = ["File", "FileIndex", "MemoryIndex", "open_index"]

_PAGE = 1000
#: Free bytes that the disk of temporary files must have for the database.
_MIN_FREE = 1 << 30
_TABLE = """CREATE TABLE file (is_glob INT, size INT, path BLOB PRIMARY KEY, root BLOB,
    is_saved INT DEFAULT 0, note TEXT DEFAULT '') WITHOUT ROWID"""


class File(NamedTuple):
    """A file to save.

    Attributes:
        is_glob: Whether a pattern matched it, so that it comes after those given by name.
        size: Its size in bytes, when it was found or when it was saved.
        root: The folder that ``path`` is relative to.
        path: Its path, which is also its name among the outputs.
        note: SHA-256 of a saved file, or why the file is not saved.
    """

    is_glob: bool
    size: int
    root: str
    path: str
    note: str = ""


class FileIndex:
    """Files in a private database, which SQLite moves to disk when it gets large."""

    def __init__(self) -> None:
        import shutil
        import sqlite3
        import tempfile

        # On a full disk: a database in memory takes a third of what Python objects do.
        place = "" if shutil.disk_usage(tempfile.gettempdir()).free > _MIN_FREE else ":memory:"
        self._database = sqlite3.connect(place, isolation_level=None)
        for line in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -8192",
            _TABLE,
            "CREATE INDEX open ON file (is_glob, size, path) WHERE is_saved = 0",
            "BEGIN",  # never committed: nothing reads it later
        ):
            self._database.execute(line)

    def add(self, file: File) -> None:
        """Add a file, unless its path is in the index."""
        self._database.execute(
            "INSERT OR IGNORE INTO file (is_glob, size, path, root) VALUES (?, ?, ?, ?)",
            (int(file.is_glob), file.size, os.fsencode(file.path), os.fsencode(file.root)),
        )

    def is_empty(self) -> bool:
        """Whether no file was added."""
        return self._database.execute("SELECT 1 FROM file LIMIT 1").fetchone() is None

    def open_files(self) -> Iterator[File]:
        """Yield files that are not saved: named before matched, small before large."""
        last = (-1, -1, b"")
        while True:  # in pages, as what is yielded changes the table
            rows = self._database.execute(
                "SELECT is_glob, size, root, path, note FROM file WHERE is_saved = 0"
                " AND (is_glob, size, path) > (?, ?, ?) ORDER BY is_glob, size, path LIMIT ?",
                (*last, _PAGE),
            ).fetchall()
            if not rows:
                return
            last = (rows[-1][0], rows[-1][1], rows[-1][3])
            yield from map(_file, rows)

    def saved_files(self) -> Iterator[File]:
        """Yield saved files."""
        yield from map(
            _file,
            self._database.execute(
                "SELECT is_glob, size, root, path, note FROM file WHERE is_saved = 1"
            ),
        )

    def count(self) -> tuple[int, int, int]:
        """Return the number of open files, of saved files, and the bytes of the latter."""
        open_, saved, size = self._database.execute(
            "SELECT COUNT(*) - TOTAL(is_saved), TOTAL(is_saved), TOTAL(is_saved * size) FROM file"
        ).fetchone()
        return int(open_), int(saved), int(size)

    def save(self, file: File, size: int, note: str) -> None:
        """Mark a file as saved."""
        self._database.execute(
            "UPDATE file SET is_saved = 1, size = ?, note = ? WHERE path = ?",
            (size, note, os.fsencode(file.path)),
        )

    def fail(self, file: File, note: str) -> None:
        """Record why a file is not saved."""
        self._database.execute(
            "UPDATE file SET note = ? WHERE path = ?", (note, os.fsencode(file.path))
        )

    def close(self) -> None:
        """Delete the database."""
        self._database.close()


class MemoryIndex(FileIndex):
    """Files in memory, for a Python that was built without SQLite, as in some job images."""

    def __init__(self) -> None:
        self._open: dict[str, File] = {}
        self._saved: dict[str, File] = {}

    def add(self, file: File) -> None:
        self._open.setdefault(file.path, file)

    def is_empty(self) -> bool:
        return not self._open and not self._saved

    def open_files(self) -> Iterator[File]:
        yield from sorted(self._open.values())

    def saved_files(self) -> Iterator[File]:
        yield from self._saved.values()

    def count(self) -> tuple[int, int, int]:
        return len(self._open), len(self._saved), sum(file.size for file in self._saved.values())

    def save(self, file: File, size: int, note: str) -> None:
        self._open.pop(file.path, None)
        self._saved[file.path] = file._replace(size=size, note=note)

    def fail(self, file: File, note: str) -> None:
        self._open[file.path] = file._replace(note=note)

    def close(self) -> None:
        self._open, self._saved = {}, {}


def open_index() -> FileIndex:
    """Return an empty index."""
    try:
        return FileIndex()
    except (ImportError, OSError):
        return MemoryIndex()


def _file(row: tuple[int, int, bytes, bytes, str]) -> File:
    is_glob, size, root, path, note = row
    return File(bool(is_glob), size, os.fsdecode(root), os.fsdecode(path), note)
