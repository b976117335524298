"""Amounts as people write them: ``16 GB``, ``512 MiB``, ``1h30m``, ``90``."""

from __future__ import annotations

import re

from openpai.core.errors import ProtocolError

__all__ = ["memory_mb", "seconds"]

# PAI's MB are MiB (Kubernetes' "Mi"), so that a GB is 1024 of them here, as in docker run --memory.
_POWERS = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:([bkmgt])(?:i?b|i)?)?\s*", re.IGNORECASE)
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(min|[a-zA-Z])?\s*")


def memory_mb(amount: int | float | str) -> int:
    """Return an amount of memory in MiB, rounded up; a bare number is MiB already.

    Args:
        amount: A number, or a text such as ``16 GB`` or ``512 MiB``; all units are powers of 1024.

    Raises:
        ProtocolError: It is no amount of memory.
    """
    match = _AMOUNT.fullmatch(str(amount))
    if not match:
        raise ProtocolError(
            f"'{amount}' is no amount of memory.", hint="Write 16 GB, 512 MB or a number of MiB."
        )
    power = _POWERS[(match.group(2) or "m").lower()]
    return -int(-float(match.group(1)) * 1024.0 ** (power - 2) // 1)


def seconds(duration: int | float | str) -> float:
    """Return a duration in seconds; a bare number is seconds already.

    Args:
        duration: A number, or a text such as ``90s``, ``5 min``, ``1h30m``, ``2d``.

    Raises:
        ProtocolError: It is no duration.
    """
    text = str(duration).strip()
    total, at = 0.0, 0
    while at < len(text):
        match = _DURATION.match(text, at)
        if not match or (match.group(2) or "").lower() not in _SECONDS:
            break
        total += float(match.group(1)) * _SECONDS[(match.group(2) or "").lower()]
        at = match.end()
    if at < len(text) or not text:
        raise ProtocolError(f"'{duration}' is no duration.", hint="Write 90s, 5 min, 1h30m or 2d.")
    return total
