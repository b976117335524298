"""Durations and amounts of memory or data: parse and format them."""

from __future__ import annotations

import re

from openpai.core.errors import ConfigError

__all__ = ["format_duration", "format_size", "mebibytes", "parse_duration", "parse_size"]

_DURATIONS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)([dhms])")
# PAI's MB are MiB (Kubernetes' "Mi"), so that a GB is 1024 of them here, as in docker run --memory.
_POWERS = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([bkmgt])(?:i?b|i)?)?", re.IGNORECASE | re.ASCII)


def parse_duration(duration: float | str) -> float:
    """Return seconds of ``90``, ``90s``, ``10m``, ``1h30m`` or ``2d``.

    Raises:
        ValueError: The text is not a duration.
    """
    try:
        seconds = float(duration)
    except ValueError:
        parts = _DURATION_PART.findall(str(duration))
        if not parts or "".join(map("".join, parts)) != duration:
            seconds = -1.0
        else:
            seconds = sum(float(number) * _DURATIONS[unit] for number, unit in parts)
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"invalid duration '{duration}': write 90s, 10m, 1h30m or 2d")
    return seconds


def format_duration(seconds: float, units: int = 2) -> str:
    """Return a duration in its largest units: ``45s``, ``1h 2m``.

    Args:
        seconds: The duration; fractions are cut off.
        units: How many units to show.
    """
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in _DURATIONS.items():
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:units])


def parse_size(size: float | str, unit: str = "b") -> float:
    """Return bytes of ``16 GB``, ``8g``, ``512MiB`` or ``1.5k``; all units are powers of 1024.

    Args:
        size: The amount.
        unit: The unit of a bare number: ``b``, ``k``, ``m``, ``g`` or ``t``.

    Raises:
        ValueError: The text is not an amount above zero.
    """
    match = _SIZE.fullmatch(str(size).strip())
    number = float(match[1]) * 1024.0 ** _POWERS[(match[2] or unit).lower()] if match else 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"invalid size '{size}': write 500K, 10M or 2G")
    return number


def format_size(size: float) -> str:
    """Return a number of bytes in powers of 1024: ``12 B``, ``1.5 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def mebibytes(amount: int | float | str) -> int:
    """Return an amount of memory in MiB, rounded up; a bare number is MiB already.

    Args:
        amount: A number, or a text as :func:`parse_size` reads it.

    Raises:
        ConfigError: It is not an amount of memory.
    """
    try:
        return -int(-parse_size(amount, unit="m") // 1024**2)
    except ValueError:
        raise ConfigError(
            f"Invalid amount of memory '{amount}'.", "Write 8g, or 8192 for MiB."
        ) from None
