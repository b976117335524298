"""JSON text as JavaScript writes it."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Mapping

from openpai.core.protocol.js import Timestamp

__all__ = ["encode"]


def encode(value: Any) -> str:
    """Return JSON without blanks or escapes, ``1.0`` as ``1``, dates and bytes as Node has them."""
    return json.dumps(_as_javascript(value), ensure_ascii=False, separators=(",", ":"))


def _as_javascript(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Timestamp):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, Mapping):
        return {key: _as_javascript(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_javascript(item) for item in value]
    return value


def _number(value: float) -> float | None:
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
