"""What is to be saved is kept in order, and a million files need no more memory than few."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Callable, Iterator

import pytest

from openpai.runtime.outputs.file_index import File, Ledger, grown

ODD = os.fsdecode(b"not-\xff-text")
FILES = [
    File(True, 1, "/w", "small"),
    File(False, 900, "/w", "named"),
    File(True, 0, "/w", ODD),
    File(True, 70, "/w", "large"),
]

MEASURE = """
import resource, sys
from openpai.runtime.outputs.file_index import File, Ledger, grown
ledger = grown(Ledger())
for number in range(int(sys.argv[1])):
    ledger.add(File(True, number % 997, "/work", f"folder/{number % 100}/file-{number}.bin"))
for file in ledger.open_files():
    ledger.save(file, 1, "f" * 64)
assert sum(1 for _ in ledger.saved_files()) == int(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(params=[Ledger, lambda: grown(Ledger())], ids=["few", "many"])
def kind(request: pytest.FixtureRequest) -> Iterator[Callable[[], Ledger]]:
    """Make ledgers of one kind; they are closed at the end."""
    made: list[Ledger] = []

    def make() -> Ledger:
        made.append(request.param())
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


def test_ledger_orders_named_and_small_first(kind: Callable[[], Ledger]) -> None:
    """Whatever order they were found in, and whatever their names are made of."""
    ledger = kind()
    for file in FILES:
        ledger.add(file)
    assert [file.path for file in ledger.open_files()] == ["named", ODD, "small", "large"]
    assert not ledger.is_empty()
    assert kind().is_empty()


def test_ledger_holds_file_once(kind: Callable[[], Ledger]) -> None:
    """The first pattern that finds it decides."""
    ledger = kind()
    ledger.add(FILES[1])
    ledger.add(FILES[1]._replace(is_glob=True))
    assert list(ledger.open_files()) == [FILES[1]]


def test_ledger_keeps_results(kind: Callable[[], Ledger]) -> None:
    """While they are gone through, too."""
    ledger = kind()
    for file in FILES:
        ledger.add(file)
    for file in ledger.open_files():
        if file.path == "large":
            ledger.fail(file, "no room")
        else:
            ledger.save(file, 5, "abc")
    assert [(file.path, file.note) for file in ledger.open_files()] == [("large", "no room")]
    assert {(file.path, file.size, file.note) for file in ledger.saved_files()} == {
        (path, 5, "abc") for path in ("named", ODD, "small")
    }
    assert ledger.count() == (1, 3, 15)
    ledger.close()


def test_ledger_grows_without_loss() -> None:
    """It then continues in a database."""
    ledger = Ledger()
    for file in FILES:
        ledger.add(file)
    larger = grown(ledger)
    with contextlib.closing(larger):
        assert type(larger) is not Ledger
        assert list(larger.open_files()) == sorted(FILES)


@pytest.mark.process
def test_ledger_memory_is_bounded() -> None:
    """Four times as many cost less than 100 bytes more for each."""
    few, many = (
        int(subprocess.check_output([sys.executable, "-c", MEASURE, str(count)]))
        for count in (20_000, 80_000)
    )
    assert (many - few) * 1024 < 60_000 * 100
