"""What the types of storages have in common in how they are described."""

from __future__ import annotations

from openpai.core.errors import StorageError
from openpai.core.storage.base import StorageSpec

__all__ = ["timeout_of"]


def timeout_of(spec: StorageSpec) -> float:
    """Return the seconds to wait for an answer: ``spec.data['timeout']``, or 60.

    Raises:
        StorageError: It is no number above 0.
    """
    told = spec.data.get("timeout") or 60
    try:
        seconds = float(told)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise StorageError(
            f"The 'timeout' of storage '{spec.name}' is no number of seconds: '{told}'.",
            "Write one such as 60.",
        )
    return seconds
