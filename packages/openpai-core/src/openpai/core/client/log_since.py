"""Select the lines of a log that are newer than a given time.

PAI keeps no times of log lines, so a line's time is the one that it begins with, as Python's
logging and most other loggers write it; a line without one has the time of the line before. Lines
of unknown time are kept, with one warning for each task.
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

# Levels, brackets and names of loggers may precede the time.
_MAX_TIME_OFFSET = 64
_MAX_HELD_LINES = 1000
_TIME = re.compile(
    r"(?<!\d)(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\d*"
    r"\s?(Z|[+-]\d\d:?\d\d)?"
)


def time_of(text: str) -> datetime | None:
    """Return the time that a line of a log begins with; without a zone it is in UTC."""
    match = _TIME.search(text, 0, _MAX_TIME_OFFSET)
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
    """Keeps the lines of one task attempt that are not older than a given time.

    Args:
        moment: The time.
        name: The task's name in messages.
        task: The task as the server described it.
        is_latest: Whether this is the task's latest attempt.

    Attributes:
        is_over: Whether the attempt is known to have ended before that time.
    """

    def __init__(self, moment: datetime, name: str, task: TaskStatus, *, is_latest: bool) -> None:
        self._moment = moment
        self._name = name
        began = task.attempt_launched_time if is_latest else None
        ended = task.completed_time if is_latest else None
        self.is_over = ended is not None and ended < moment
        self._keep: bool | None = True if began is not None and began >= moment else None
        self._held: list[str] = []  # lines whose time is not known yet

    def lines(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield those of the next lines that are not too old."""
        for text in texts:
            if self._keep:  # times only grow
                yield text
                continue
            time = time_of(text)
            if time is not None:
                self._keep = time >= self._moment
                yield from self._release() if self._keep else ()
                self._held.clear()
            if self._keep:
                yield text
            elif self._keep is None:
                self._held.append(text)
                if len(self._held) > _MAX_HELD_LINES:
                    yield from self._keep_untimed()
        if self._held:
            yield from self._keep_untimed()

    def _keep_untimed(self) -> Iterator[str]:
        """Yield the held lines, whose time is unknown, with a warning; keep all later ones."""
        self._keep = True
        _log.warning(
            "the lines of %s carry no times, and PAI keeps none: they are shown from the beginning",
            self._name,
        )
        yield from self._release()

    def _release(self) -> Iterator[str]:
        held, self._held = self._held, []
        yield from held
