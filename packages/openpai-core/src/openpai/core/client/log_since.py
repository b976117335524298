"""Which lines of a log are newer than a moment, as far as that can be known.

PAI keeps no times of what a task wrote. So a line counts by the time that it begins with, as
Python's logging and most other loggers write it; a line without one belongs to the line before.
Where nothing tells, lines are kept, and that is said once for each task.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Iterable, Iterator

if TYPE_CHECKING:
    from openpai.core.rest import TaskStatus

__all__ = ["LogSinceFilter", "time_of"]

_log = logging.getLogger("openpai.core.client.logs")

# Levels, brackets and names of loggers may stand before it.
_WITHIN = 64
_MOST_HELD = 1000
_TIME = re.compile(
    r"(?<!\d)(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\d*"
    r"\s?(Z|[+-]\d\d:?\d\d)?"
)


def time_of(text: str) -> datetime | None:
    """Return the time that a line of a log begins with; one without a zone is taken for UTC."""
    match = _TIME.search(text, 0, _WITHIN)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.strptime(f"{day} {clock}Z", "%Y-%m-%d %H:%M:%S%z")
    except ValueError:
        return None
    return moment + timedelta(microseconds=int((fraction or "0").ljust(6, "0"))) - _offset(zone)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta(0)
    digits = zone.replace(":", "")
    span = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return -span if digits[0] == "-" else span


class LogSinceFilter:
    """Keeps the lines of one run of one task that are not older than a moment.

    Args:
        moment: The moment.
        name: The task, as people call it.
        task: What is known of it.
        is_latest: Whether the run is the task's latest.

    Attributes:
        is_over: Whether the run is known to have ended before the moment.
    """

    def __init__(self, moment: datetime, name: str, task: TaskStatus, *, is_latest: bool) -> None:
        self._moment = moment
        self._name = name
        began = task.attempt_launched_time if is_latest else None
        ended = task.completed_time if is_latest else None
        self.is_over = ended is not None and ended < moment
        self._keep: bool | None = True if began is not None and began >= moment else None
        self._held: list[str] = []  # nothing has told yet whether these are new

    def lines(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield those of the next lines that are to be shown."""
        for text in texts:
            if self._keep:  # times only grow: what is new stays new
                yield text
                continue
            told = time_of(text)
            if told is not None:
                self._keep = told >= self._moment
                yield from self._taken() if self._keep else ()
                self._held.clear()
            if self._keep:
                yield text
            elif self._keep is None:
                self._held.append(text)
                if len(self._held) > _MOST_HELD:
                    yield from self._untold()
        if self._held:
            yield from self._untold()

    def _untold(self) -> Iterator[str]:
        """Nothing tells how old they are: keep them, and say so."""
        self._keep = True
        _log.warning(
            "the lines of %s carry no times, and PAI keeps none: they are shown from the beginning",
            self._name,
        )
        yield from self._taken()

    def _taken(self) -> Iterator[str]:
        held, self._held = self._held, []
        yield from held
