"""Tests of the index of files to save."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Callable, Iterator

import pytest

from openpai.runtime.outputs.file_index import File, FileIndex, MemoryIndex, open_index

ODD = os.fsdecode(b"not-\xff-text")
FILES = [
    File(True, 1, "/w", "small"),
    File(False, 900, "/w", "named"),
    File(True, 0, "/w", ODD),
    File(True, 70, "/w", "large"),
]

MEASURE = """
import resource, sys
from openpai.runtime.outputs.file_index import File, FileIndex
index = FileIndex()
for number in range(int(sys.argv[1])):
    index.add(File(True, number % 997, "/work", f"folder/{number % 100}/file-{number}.bin"))
for file in index.open_files():
    index.save(file, 1, "f" * 64)
assert sum(1 for _ in index.saved_files()) == int(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(params=[FileIndex, MemoryIndex])
def kind(request: pytest.FixtureRequest) -> Iterator[Callable[[], FileIndex]]:
    """Make indexes of one kind, closed at the end."""
    made: list[FileIndex] = []

    def make() -> FileIndex:
        made.append(request.param())
        return made[-1]

    yield make
    for index in made:
        index.close()


def test_index_orders_named_and_small_first(kind: Callable[[], FileIndex]) -> None:
    """In whatever order they were added, with names that are not UTF-8 too."""
    index = kind()
    for file in FILES:
        index.add(file)
    assert [file.path for file in index.open_files()] == ["named", ODD, "small", "large"]
    assert not index.is_empty()
    assert kind().is_empty()


def test_index_holds_file_once(kind: Callable[[], FileIndex]) -> None:
    """The first entry wins."""
    index = kind()
    index.add(FILES[1])
    index.add(FILES[1]._replace(is_glob=True))
    assert list(index.open_files()) == [FILES[1]]


def test_index_keeps_results(kind: Callable[[], FileIndex]) -> None:
    """Also while open files are iterated."""
    index = kind()
    for file in FILES:
        index.add(file)
    for file in index.open_files():
        if file.path == "large":
            index.fail(file, "no room")
        else:
            index.save(file, 5, "abc")
    assert [(file.path, file.note) for file in index.open_files()] == [("large", "no room")]
    assert {(file.path, file.size, file.note) for file in index.saved_files()} == {
        (path, 5, "abc") for path in ("named", ODD, "small")
    }
    assert index.count() == (1, 3, 15)
    index.close()


def test_index_works_without_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some job images have a Python that was built without it."""
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with contextlib.closing(open_index()) as index:
        assert type(index) is MemoryIndex
        index.add(FILES[1])
        assert list(index.open_files()) == [FILES[1]]


def test_index_uses_sqlite() -> None:
    """It bounds the memory."""
    with contextlib.closing(open_index()) as index:
        assert type(index) is FileIndex


@pytest.mark.process
def test_index_memory_is_bounded() -> None:
    """Each further file costs less than 100 bytes."""
    few, many = (
        int(subprocess.check_output([sys.executable, "-c", MEASURE, str(count)]))
        for count in (20_000, 80_000)
    )
    assert (many - few) * 1024 < 60_000 * 100
