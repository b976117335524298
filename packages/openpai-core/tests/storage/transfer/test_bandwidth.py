"""The threads of a transfer."""

from __future__ import annotations

import threading

import pytest

from openpai.core.storage.transfer.executor import ThreadGroup


@pytest.mark.parametrize("most", [1, 8])
def test_crew_runs_all_tasks(most: int) -> None:
    """Tasks that tasks add are done, too."""
    done: list[int] = []
    group = ThreadGroup(most, threading.Event())

    def task(number: int, more: int) -> None:
        if more:
            group.add_first(lambda: task(number, more - 1))
        done.append(number)

    for number in range(2000):
        group.add(lambda number=number: task(number, 2))  # type: ignore[misc]
    group.finish()
    assert sorted(done) == sorted([*range(2000)] * 3)


def test_as_many_tasks_run_at_once_as_allowed() -> None:
    """The threads meet at a barrier, which fewer would not pass; one more task has to wait."""
    barrier = threading.Barrier(4, timeout=60)
    lock, running, most = threading.Lock(), 0, 0
    group = ThreadGroup(4, threading.Event())

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait()
        with lock:
            running -= 1

    for _ in range(8):
        group.add(task)
    group.finish()
    assert most == 4
