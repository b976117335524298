"""Draw how much of something is left."""

from __future__ import annotations

__all__ = ["bar"]

_FINE = ("█", "░")
_PLAIN = ("#", ".")


def bar(part: float, whole: float, width: int, encoding: str | None) -> str:
    """Return a bar whose filled share is ``part`` of ``whole``; empty where there is nothing.

    Something never looks like nothing, nor less than all like all.

    Args:
        part: What is left.
        whole: What there is.
        width: Columns; 0 draws nothing.
        encoding: What the terminal understands.
    """
    if whole <= 0 or width <= 0:
        return ""
    filled = round(width * min(max(part / whole, 0), 1))
    if 0 < part < whole:
        filled = min(max(filled, 1), width - 1)
    full, empty = _FINE if (encoding or "").lower().replace("-", "") == "utf8" else _PLAIN
    return full * filled + empty * (width - filled)
