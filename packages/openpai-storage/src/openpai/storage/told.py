"""What a server said last of a file, for whoever asks the next question about it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import Any, Iterator, NamedTuple

__all__ = ["Asked", "Told"]

#: So many seconds what was told of a file is taken for what is.
FRESH = 1.0
#: So many changed files are remembered.
MOST = 10_000


class Asked(NamedTuple):
    """When a server was asked about a file, and after which change of it."""

    key: str
    at: float
    since: object
    change: object


class _Answer(NamedTuple):
    asked: Asked
    answer: Any
    questions: frozenset[str]


class Told:
    """What the server said last of a file, for the next questions of the same thread.

    Whoever reads or writes a whole file asks next for its size and time, and who verifies one asks
    then for its checksum; one answer has it all. It is taken once for each question, within a
    moment, and not after a change of that file by another thread.
    """

    def __init__(self) -> None:
        self._mine = threading.local()
        self._since = object()  # another one when all that was told may be wrong
        self._changes: dict[str, object] = {}

    def asking(self, key: str) -> Asked:
        """Note that the server is about to be asked about a file."""
        return Asked(key, time.monotonic(), self._since, self._changes.get(key))

    def keep(self, asked: Asked, answer: Any, *questions: str) -> None:
        """Remember an answer to these questions, ``stat`` and ``checksum``."""
        self._mine.last = _Answer(asked, answer, frozenset(questions))

    @contextmanager
    def changing(self, key: str) -> Iterator[Asked]:
        """Guard a block that changes a file; what the server says to that may be kept."""
        if len(self._changes) >= MOST:
            self.forget()
        during, after = object(), object()
        self._changes[key] = during
        try:
            yield Asked(key, time.monotonic(), self._since, after)
        finally:
            alone = self._changes.get(key) is during
            self._changes[key] = after if alone else object()

    def forget(self) -> None:
        """Forget everything: many files are about to change, or have just changed."""
        self._since = object()
        self._changes.clear()

    def take(self, key: str, question: str) -> Any:
        """Return the answer that was just given about this file to a question; else ``None``."""
        last: _Answer | None = getattr(self._mine, "last", None)
        self._mine.last = None
        if last is None or question not in last.questions:
            return None
        now = self.asking(key)
        if now.at - last.asked.at > FRESH or now._replace(at=last.asked.at) != last.asked:
            return None
        self._mine.last = last._replace(questions=last.questions - {question})
        return last.answer
