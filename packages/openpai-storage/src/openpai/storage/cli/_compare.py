"""Compare two trees."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional

from openpai.core.errors import OpenPaiError

if TYPE_CHECKING:
    from openpai.core.storage import Entry, Storage
    from openpai.core.storage.transfer import Failed, Step

__all__ = ["Differences", "differences"]

#: So many files are compared at once.
AT_ONCE = 8

#: Results of a comparison; ``None``: the file is the same on both sides.
Found = Optional[Dict[str, Any]]


class Differences:
    """An iterable of rows, one for each difference.

    Attributes:
        total: The files seen so far.
        count: The differences seen so far.
    """

    def __init__(self, found: Iterator[Found]) -> None:
        self._found = found
        self.total = 0
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._found:
            self.total += 1
            if row:
                self.count += 1
                yield row


def differences(
    first: tuple[Storage, str], second: tuple[Storage, str], *, fast: bool
) -> Differences:
    """Compare two files or trees.

    Args:
        first: A storage and a path in it.
        second: Another.
        fast: Whether the same size and time are enough, and the size where a side keeps no times.

    Raises:
        FileNotFoundError: The first does not exist.
    """
    from openpai.core.storage.transfer import Copier, Limiter, Options, Transfer

    never = threading.Event()
    copier = Copier(first[0], second[0], Limiter(None, never), _ignore, never)
    transfer = Transfer(*first, *second, Options(delete=True))

    timed = first[0].keeps_times and second[0].keeps_times
    fast_judge = _have_same_time if timed else _have_same_size
    is_same = fast_judge if fast else copier.is_same

    def judge(step: Step | Failed) -> Callable[[], Found]:
        return lambda: _classify(step, is_same, "times differ" if fast else "contents differ")

    return Differences(_sorted_pairs(map(judge, transfer.plan())))


def _sorted_pairs(acts: Iterator[Callable[[], Found]]) -> Iterator[Found]:
    """Do things at once; yield what they return in their order."""
    waiting: deque[Any] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for act in acts:
            waiting.append(pool.submit(act))
            while len(waiting) > 4 * AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _have_same_time(a: Entry, b: Entry) -> bool:
    from openpai.core.storage.transfer import same_time

    return same_time(a, b)


def _have_same_size(a: Entry, b: Entry) -> bool:
    return a.size == b.size


def _classify(step: Step | Failed, is_same: Callable[[Any, Any], bool], otherwise: str) -> Found:
    from openpai.core.storage.transfer import Failed

    if isinstance(step, Failed):
        return _row(step.path, "cannot be compared", step.reason)
    if step.action in ("copy", "mkdir"):
        return _row(step.path, "only in the first")
    if step.action == "delete":
        return _row(step.path, "only in the second")
    if step.action == "replace":
        return _row(step.path, "sizes differ")
    try:
        same = is_same(step.source, step.found)
    except (OSError, OpenPaiError) as error:
        reason = str(getattr(error, "strerror", None) or error)
        return _row(step.path, "cannot be compared", reason)
    return None if same else _row(step.path, otherwise)


def _row(path: str, difference: str, error: str | None = None) -> dict[str, Any]:
    return {"path": path or ".", "difference": difference, "error": error}


def _ignore(count: int) -> None:
    pass
