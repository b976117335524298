"""Times and durations as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

__all__ = ["ago", "duration", "iso", "parse_duration", "parse_moment"]

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def iso(moment: datetime) -> str:
    """Return an ISO 8601 text in UTC, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago something was: ``12s ago``, ``3h ago``, ``2026-01-31`` after 30 days."""
    seconds = ((now or datetime.now(timezone.utc)) - moment).total_seconds()
    if seconds > 30 * 86400:
        return moment.astimezone().strftime("%Y-%m-%d")
    if seconds < 0:
        return f"in {_largest(-seconds)}"
    return f"{_largest(seconds)} ago"


def duration(span: timedelta) -> str:
    """Return a duration in its two largest units: ``45s``, ``1h 2m``."""
    rest = int(span.total_seconds())
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def _largest(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def parse_duration(text: str) -> float:
    """Return seconds of ``90``, ``90s``, ``10m``, ``1h30m`` or ``2d``.

    Raises:
        ValueError: The text is no duration.
    """
    import re

    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"'{text}' is no duration; write 90s, 10m, 1h30m or 2d.")
    sizes = dict(_UNITS)
    return sum(float(number) * sizes[unit] for number, unit in parts)


def parse_moment(text: str) -> datetime:
    """Return the time of ``10m`` (ago), ``2026-01-31`` or ``2026-01-31T12:00:00+01:00``.

    Without a zone it is in this machine's.

    Raises:
        ValueError: The text is no time.
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
            f"'{text}' is no time; write 10m (ago), 2026-01-31 or 2026-01-31T12:00."
        ) from None
