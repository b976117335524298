"""Times and durations as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from openpai.cli.ui.times import ago, duration, iso, parse_duration

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s ago"), (59, "59s ago"), (61, "1m ago"), (7300, "2h ago"), (86400 * 3, "3d ago")],
)
def test_ago_uses_largest_unit(seconds, expected):
    """Recent times are rounded down to one unit."""
    assert ago(NOW - timedelta(seconds=seconds), NOW) == expected


def test_ago_of_old_time_is_date():
    """After thirty days the date says more."""
    assert ago(NOW - timedelta(days=45), NOW).startswith("2026-01-1")


def test_ago_of_future_time():
    """A server's clock may be ahead; that is not hidden."""
    assert ago(NOW + timedelta(seconds=90), NOW) == "in 1m"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s"), (45, "45s"), (3720, "1h 2m"), (90061, "1d 1h"), (3601, "1h 1s")],
)
def test_duration_uses_two_units(seconds, expected):
    """Durations keep their two largest units."""
    assert duration(timedelta(seconds=seconds)) == expected


def test_iso_is_utc_in_seconds():
    """Machines get UTC whatever the zone was."""
    local = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert iso(local) == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("1.5", 1.5), ("10m", 600), ("1h30m", 5400), ("2d", 172800)]
)
def test_parse_duration_accepts_units(text, expected):
    """A number is seconds; units add up."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "m", "10x", "h1", "1h 30m", "-5"])
def test_parse_duration_refuses_invalid_text(text):
    """Anything else is an error that says how to write one."""
    with pytest.raises(ValueError, match="10m"):
        parse_duration(text)
