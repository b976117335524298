"""JSON text as JavaScript writes it."""

from __future__ import annotations

import json
from typing import Any, Mapping

__all__ = ["encode"]


def encode(value: Any) -> str:
    """Return JSON without blanks or escapes, and with ``1.0`` as ``1``."""
    return json.dumps(_as_javascript(value), ensure_ascii=False, separators=(",", ":"))


def _as_javascript(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, Mapping):
        return {key: _as_javascript(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_javascript(item) for item in value]
    return value
