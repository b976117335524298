"""Read the claims of a token; the server checks the signature."""

from __future__ import annotations

import base64
import json
from typing import Any

__all__ = ["claims", "lifetime"]


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a JSON web token; empty if the text is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def lifetime(token: str) -> tuple[float, float] | None:
    """Return (issued, expires) in Unix seconds of the server's clock; ``None`` if it never ends."""
    found = claims(token)
    issued, expires = found.get("iat"), found.get("exp")
    if isinstance(issued, (int, float)) and isinstance(expires, (int, float)):
        return float(issued), float(expires)
    return None
