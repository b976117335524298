"""JSON web tokens as rest-server issues them: HS256, valid while they are stored.

Source of the claims: rest-server/src/models/token.js.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Mapping

if TYPE_CHECKING:
    from openpai.core.local.state.clock import Clock
    from openpai.core.local.state.store import Store

__all__ = ["LIFETIME", "TokenStore", "sign", "verify"]

#: Lifetime of a login token in seconds (rest-server's ``jwt-expire-time``).
LIFETIME = 7 * 24 * 3600


def sign(claims: Mapping[str, Any], key: str) -> str:
    """Return the token that carries the claims."""
    head = _pack(b'{"alg":"HS256","typ":"JWT"}')
    body = _pack(json.dumps(claims, separators=(",", ":")).encode())
    return f"{head}.{body}.{_signature(f'{head}.{body}', key)}"


def verify(token: str, key: str, now: float) -> dict[str, Any] | None:
    """Return the claims of a token; ``None`` if it is malformed, has another key, or is expired.

    Args:
        token: The token.
        key: The key that must have signed it.
        now: Seconds since 1970.
    """
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(signed, key).encode()):
        return None
    try:
        claims = json.loads(_unpack(signed.partition(".")[2]))
    except ValueError:
        return None
    if not isinstance(claims, dict) or claims.get("exp", now + 1) <= now:
        return None
    return claims


def _signature(signed: str, key: str) -> str:
    return _pack(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TokenStore:
    """The valid tokens.

    Args:
        store: The records.
        key: The key that signs tokens.
        clock: The cluster's time.
    """

    def __init__(self, store: Store, key: str, clock: Clock) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def issue(self, user: str, *, application: bool = False) -> str:
        """Create and store a token; an application token never expires."""
        now = self._clock.now() // 1000
        claims: dict[str, Any] = {
            "username": user,
            "application": application,
            "jobSpecific": False,
            "encodedFrameworkName": "",
            "iat": now,
        }
        if not application:
            claims["exp"] = now + LIFETIME
        token = sign(claims, self._key)
        self._store.execute(
            "INSERT OR REPLACE INTO tokens(token, user, expires) VALUES(?, ?, ?)",
            (token, user, claims.get("exp")),
        )
        return token

    def claims(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token; ``None`` unless it is valid and stored."""
        claims = self.read(token)
        kept = self._store.query("SELECT 1 FROM tokens WHERE token = ?", (token,))
        return claims if kept else None

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that may have been revoked; ``None`` if it is not valid."""
        return verify(token, self._key, self._clock.now() / 1000)

    def list(self, user: str) -> list[str]:
        """Return a user's tokens that have not expired."""
        rows = self._store.query(
            "SELECT token FROM tokens WHERE user = ? AND (expires IS NULL OR expires > ?)"
            " ORDER BY rowid",
            (user, self._clock.now() // 1000),
        )
        return [row["token"] for row in rows]

    def revoke(self, token: str) -> None:
        """Delete a token, if it is stored."""
        self._store.execute("DELETE FROM tokens WHERE token = ?", (token,))

    def revoke_all_logins(self) -> int:
        """Delete all login tokens; return how many were valid."""
        kept = "expires IS NOT NULL AND expires > ?"
        now = (self._clock.now() // 1000,)
        (row,) = self._store.query(f"SELECT count(*) FROM tokens WHERE {kept}", now)  # noqa: S608
        self._store.execute("DELETE FROM tokens WHERE expires IS NOT NULL", ())
        return int(row[0])

    def revoke_logins(self, user: str) -> None:
        """Delete the login tokens of a user."""
        self._store.execute("DELETE FROM tokens WHERE user = ? AND expires IS NOT NULL", (user,))
