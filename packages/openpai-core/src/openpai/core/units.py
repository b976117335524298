"""Amounts of memory as people write them."""

from __future__ import annotations

import re

from openpai.core.errors import ConfigError

__all__ = ["mebibytes"]

# PAI's MB are MiB (Kubernetes' "Mi"), so that a GB is 1024 of them here, as in docker run --memory.
_POWERS = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([bkmgt])(?:i?b|i)?)?", re.IGNORECASE | re.ASCII)


def mebibytes(amount: int | float | str) -> int:
    """Return an amount of memory in MiB, rounded up; a bare number is MiB already.

    Args:
        amount: A number, or a text such as ``16 GB``, ``8g`` or ``512MiB``; all units are powers
            of 1024.

    Raises:
        ConfigError: It is no amount of memory.
    """
    match = _AMOUNT.fullmatch(str(amount).strip())
    size = 0
    if match:
        power = _POWERS[(match.group(2) or "m").lower()]
        size = -int(-float(match.group(1)) * 1024.0 ** (power - 2) // 1)
    if size <= 0:
        raise ConfigError(f"'{amount}' is no amount of memory.", "Write 8g, or 8192 for MiB.")
    return size
