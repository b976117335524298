"""How many threads a transfer uses is found by measuring."""

from __future__ import annotations

import threading
from typing import Callable

import pytest

from openpai.core.transfer.crew import Crew
from openpai.core.transfer.pace import Tuner


def settled(files_per_second: Callable[[int], float], first: int = 4, most: int = 64) -> set[int]:
    """Return the numbers of threads that are used after a while, where they do so much."""
    tuner, now, used = Tuner(most, 0.0, first), 0.0, set()
    for number in range(20_000):
        now += 1 / files_per_second(tuner.threads)
        tuner.ended(now)
        if number > 15_000:
            used.add(tuner.threads)
    return used


@pytest.mark.parametrize(
    ("name", "files_per_second", "least", "most"),
    [
        ("a network far away, which each thread waits for", lambda n: 20.0 * n, 50, 64),
        ("a server that does eight things at once", lambda n: 100.0 * min(n, 8), 8, 12),
        (
            "a server that gets slower by more than four",
            lambda n: 100.0 * n if n < 5 else 1600.0 / n,
            4,
            6,
        ),
        ("nothing to wait for", lambda n: 2000.0 / n**0.5, 1, 1),
        ("it is all the same", lambda n: 500.0, 1, 1),
    ],
)
@pytest.mark.parametrize("first", [1, 4])
def test_tuner_finds_best_thread_count(
    name: str, files_per_second: Callable[[int], float], least: int, most: int, first: int
) -> None:
    """The smallest number with the highest throughput."""
    used = settled(files_per_second, first)
    assert least <= min(used) <= max(used) <= most, name


def test_tuner_respects_maximum() -> None:
    """The number that the user named is the most."""
    assert max(settled(lambda n: 20.0 * n, most=3)) == 3


def test_crew_runs_all_tasks() -> None:
    """Tasks that tasks add are done, too, though nobody is woken up who is not needed."""
    done: list[int] = []
    crew = Crew(8, threading.Event(), first=1)

    def task(number: int, more: int) -> None:
        if more:
            crew.add_first(lambda: task(number, more - 1))
        done.append(number)

    for number in range(2000):
        crew.add(lambda number=number: task(number, 2))  # type: ignore[misc]
    crew.finish()
    assert sorted(done) == sorted([*range(2000)] * 3)
