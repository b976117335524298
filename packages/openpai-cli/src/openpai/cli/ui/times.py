"""Parse and format times."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from openpai.core.units import format_duration, parse_duration

__all__ = ["ago", "iso", "parse_moment"]


def iso(moment: datetime) -> str:
    """Return an ISO 8601 text in UTC, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago something was: ``12s ago``, ``3h ago``, ``2026-01-31`` after 30 days."""
    seconds = ((now or datetime.now(timezone.utc)) - moment).total_seconds()
    if seconds > 30 * 86400:
        return moment.astimezone().strftime("%Y-%m-%d")
    if seconds < 0:
        return f"in {format_duration(-seconds, 1)}"
    return f"{format_duration(seconds, 1)} ago"


def parse_moment(text: str) -> datetime:
    """Return the time of ``10m`` (ago), ``2026-01-31`` or ``2026-01-31T12:00:00+01:00``.

    Without a zone it is in this machine's.

    Raises:
        ValueError: The text is not a time.
    """
    try:
        return datetime.now(timezone.utc) - timedelta(seconds=parse_duration(text))
    except ValueError:
        pass
    try:
        # fromisoformat of Python 3.10 does not know Z.
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    except ValueError:
        raise ValueError(
            f"invalid time '{text}': write 10m (ago), 2026-01-31 or 2026-01-31T12:00"
        ) from None
