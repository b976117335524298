"""The records of a cluster in SQLite, durable after each transaction.

Write-ahead logging with full synchronisation: a committed transaction survives a crash of the
process and of the machine. One connection writes, another reads, each with its own lock, so that
reading never waits for a transaction; a transaction is a ``with`` block.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence, TypeVar

from openpai.core.execution import Attempt, Event, Job, Task
from openpai.core.local.state.models import Group, User

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Store"]

Record = TypeVar("Record")

#: record class → (table, columns of the primary key)
TABLES: dict[type, tuple[str, tuple[str, ...]]] = {
    User: ("users", ("name",)),
    Group: ("groups", ("name",)),
    Job: ("jobs", ("id",)),
    Attempt: ("attempts", ("job", "index")),
    Task: ("tasks", ("job", "attempt", "role", "index", "retry")),
    Event: ("events", ("uid",)),
}

EXTRA = """
CREATE UNIQUE INDEX IF NOT EXISTS jobs_debug_id ON jobs(debug_id);
CREATE INDEX IF NOT EXISTS jobs_submitted ON jobs(submitted);
CREATE INDEX IF NOT EXISTS jobs_active ON jobs(id) WHERE sub_state != 'Completed';
CREATE UNIQUE INDEX IF NOT EXISTS tasks_uid ON tasks(uid);
CREATE INDEX IF NOT EXISTS events_job ON events(job);
CREATE TABLE IF NOT EXISTS configs(job INTEGER PRIMARY KEY, text TEXT NOT NULL, document TEXT);
CREATE TABLE IF NOT EXISTS tags(job INTEGER, tag TEXT, PRIMARY KEY(job, tag));
CREATE TABLE IF NOT EXISTS tokens(token TEXT PRIMARY KEY, user TEXT NOT NULL, expires INTEGER);
"""


class Store:
    """The records of one cluster.

    Args:
        path: The database file.
    """

    def __init__(self, path: Path) -> None:
        self._writing = threading.RLock()
        self._reading = threading.Lock()
        self._writer: int | None = None
        self._depth = 0
        self._db = _connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            for kind, (table, key) in TABLES.items():
                self._db.execute(_create(kind, table, key))
            for statement in filter(str.strip, EXTRA.split(";")):
                self._db.execute(statement)
        self._reader = _connect(path)

    def close(self) -> None:
        """Close the database."""
        with self._writing, self._reading:
            self._reader.close()
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all writes in the block or none; of nested blocks the outermost counts."""
        with self._writing:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
                self._writer = threading.get_ident()
            self._depth += 1
            done = False
            try:
                yield
                done = True
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._writer = None
                    self._end(commit=done)

    def _end(self, *, commit: bool) -> None:
        try:
            if commit:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:  # on a full disk SQLite may have ended it already
                self._db.execute("ROLLBACK")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return rows of what is committed, and in a transaction of what it has written."""
        if self._writer == threading.get_ident():
            return self._db.execute(sql, parameters).fetchall()
        with self._reading:
            return self._reader.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute a statement; return how many rows it changed."""
        with self.transaction():
            return self._db.execute(sql, parameters).rowcount

    def save(self, *records: Any) -> None:
        """Insert records or replace those with the same key."""
        with self.transaction():
            for record in records:
                kind = type(record)
                columns = _columns(kind)
                table, key = TABLES[kind]
                others = [name for name in columns if name not in key]
                marks = ", ".join("?" * len(columns))
                changes = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
                self._db.execute(
                    f"INSERT INTO {table}({_names(columns)}) VALUES({marks})"
                    f" ON CONFLICT({_names(key)}) DO UPDATE SET {changes}",
                    [write(getattr(record, name)) for name, (_, write) in columns.items()],
                )

    def find(
        self, kind: type[Record], where: str = "1", parameters: Sequence[Any] = ()
    ) -> list[Record]:
        """Return the records of a class that match an SQL condition, which may include ORDER BY."""
        table = TABLES[kind][0]
        rows = self.query(f"SELECT * FROM {table} WHERE {where}", parameters)  # noqa: S608 - ours
        columns = _columns(kind)
        return [
            kind(**{name: read(row[name]) for name, (read, _) in columns.items()}) for row in rows
        ]

    def one(self, kind: type[Record], where: str, parameters: Sequence[Any]) -> Record | None:
        """Return the first record of a class that matches a condition, or ``None``."""
        found = self.find(kind, where + " LIMIT 1", parameters)
        return found[0] if found else None

    def delete(self, record: Any) -> None:
        """Delete a record."""
        table, key = TABLES[type(record)]
        with self.transaction():
            condition = " AND ".join(f'"{name}" = ?' for name in key)
            self._db.execute(
                f"DELETE FROM {table} WHERE {condition}",  # noqa: S608 - names of ours only
                [getattr(record, name) for name in key],
            )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA case_sensitive_like = ON")
    return connection


def _same(value: Any) -> Any:
    return value


def _codec(annotation: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return (column to field, field to column) for a field's annotation."""
    if annotation.startswith(("dict", "list")):
        return json.loads, json.dumps
    if annotation == "bool":
        return bool, int
    return _same, _same


_KNOWN: dict[type, dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {}


def _columns(kind: type) -> dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """Return the columns of a record class in order, each with its :func:`_codec`."""
    if kind not in _KNOWN:
        _KNOWN[kind] = {field.name: _codec(str(field.type)) for field in dataclasses.fields(kind)}
    return _KNOWN[kind]


def _names(columns: Any) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _create(kind: type, table: str, key: tuple[str, ...]) -> str:
    columns = ", ".join(
        f'"{field.name}" ' + ("INTEGER" if str(field.type).startswith(("int", "bool")) else "TEXT")
        for field in dataclasses.fields(kind)
    )
    return f"CREATE TABLE IF NOT EXISTS {table}({columns}, PRIMARY KEY({_names(key)}))"
