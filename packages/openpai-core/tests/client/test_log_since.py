"""Which lines of a log are newer than a moment, as far as that can be known."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from openpai.core.client.log_since import LogSinceFilter, time_of
from openpai.core.rest.models import TaskStatus

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def at(hour, minute=0):
    """Milliseconds of a time of that day, as the server has it."""
    return int(NOON.replace(hour=hour, minute=minute).timestamp() * 1000)


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-31 12:00:00,000 INFO begin",
        "2026-01-31T12:00:00Z begin",
        "[2026-01-31 13:00:00+01:00] begin",
        "2026-01-31T07:00:00.000000-0500 begin",
        "INFO:train:2026-01-31 12:00:00.000 begin",
    ],
)
def test_time_formats_of_loggers_are_parsed(line):
    """With fractions, zones, and words before it."""
    assert time_of(line) == NOON


@pytest.mark.parametrize("line", ["", "12:00:00", "2026-13-31 12:00:00", "12026-01-31 12:00:00"])
def test_line_without_time_is_none(line):
    """Invalid days, too."""
    assert time_of(line) is None


@pytest.fixture
def kept():
    """Return what is kept of the lines of a task with these times."""

    def keep(*lines, is_latest=True, **times):
        return list(
            LogSinceFilter(NOON, "main-0", TaskStatus(times), is_latest=is_latest).lines(lines)
        )

    return keep


OLD, NEW = "2026-01-31 11:59:59 old", "2026-01-31 12:00:01 new"


def test_since_filters_lines_by_time(kept):
    """A line without one belongs to the line before; what is new stays new."""
    assert kept(OLD, "  more", NEW, "  more", OLD) == [NEW, "  more", OLD]


def test_since_keeps_lines_before_first_time(kept):
    """They are held until a line has a time."""
    assert kept("banner", OLD, "x") == []
    assert kept("banner", NEW, "x") == ["banner", NEW, "x"]


def test_since_shows_later_task_whole(kept, caplog):
    """Its lines need no times."""
    assert kept("a", "b", currentAttemptLaunchedTime=at(12, 1)) == ["a", "b"]
    assert caplog.text == ""


def test_since_without_times_warns_once(kept, caplog):
    """Nothing is left out on a guess."""
    assert kept("a", "b", currentAttemptLaunchedTime=at(11)) == ["a", "b"]
    assert caplog.text.count("carry no times") == 1


def test_since_skips_ended_task():
    """Such a log is not even read."""
    task = TaskStatus({"completedTime": at(11)})
    assert LogSinceFilter(NOON, "main-0", task, is_latest=True).is_over
    assert not LogSinceFilter(NOON, "main-0", task, is_latest=False).is_over


def test_failing_source_loses_no_line():
    """Lines held when reading failed are yielded after the next attempt."""

    def broken():
        yield "held"
        raise OSError("cut")

    since = LogSinceFilter(NOON, "main-0", TaskStatus({}), is_latest=True)
    found = []
    with pytest.raises(OSError, match="cut"):
        found.extend(since.lines(broken()))
    assert found + list(since.lines([NEW])) == ["held", NEW]
