"""Times relative to now and in ISO 8601."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from openpai.cli.ui.times import ago, iso

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


def test_iso_is_utc_in_seconds():
    """Machines get UTC whatever the zone was."""
    local = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert iso(local) == "2026-03-01T12:00:00Z"
