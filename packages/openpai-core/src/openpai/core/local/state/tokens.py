"""JSON web tokens as rest-server makes them: HS256, and valid only while the server keeps them.

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

#: Seconds that a user token is good for (rest-server's ``jwt-expire-time``).
LIFETIME = 7 * 24 * 3600


def sign(claims: Mapping[str, Any], key: str) -> str:
    """Return the token that carries the claims."""
    head = _pack(b'{"alg":"HS256","typ":"JWT"}')
    body = _pack(json.dumps(claims, separators=(",", ":")).encode())
    return f"{head}.{body}.{_signature(f'{head}.{body}', key)}"


def verify(token: str, key: str, now: float) -> dict[str, Any] | None:
    """Return a token's claims; ``None`` if it is broken, not ours, or expired.

    Args:
        token: What somebody showed.
        key: The key that it must have been signed with.
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
    """The tokens that are good now.

    Args:
        store: Where they are kept.
        key: What they are signed with.
        clock: The cluster's time.
    """

    def __init__(self, store: Store, key: str, clock: Clock) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def issue(self, user: str, *, application: bool = False) -> str:
        """Make and keep a token; an application token never expires."""
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
        """Return what a token says; ``None`` unless it is ours, not expired and still kept."""
        claims = self.read(token)
        kept = self._store.query("SELECT 1 FROM tokens WHERE token = ?", (token,))
        return claims if kept else None

    def read(self, token: str) -> dict[str, Any] | None:
        """Return what a token says, though it may have been revoked."""
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
        """Forget a token; one that is not kept is fine."""
        self._store.execute("DELETE FROM tokens WHERE token = ?", (token,))

    def revoke_all_logins(self) -> int:
        """Forget everybody's tokens except the application tokens; return how many there were."""
        kept = "expires IS NOT NULL AND expires > ?"
        now = (self._clock.now() // 1000,)
        (row,) = self._store.query(f"SELECT count(*) FROM tokens WHERE {kept}", now)  # noqa: S608
        self._store.execute("DELETE FROM tokens WHERE expires IS NOT NULL", ())
        return int(row[0])

    def revoke_logins(self, user: str) -> None:
        """Forget a user's tokens except the application tokens."""
        self._store.execute("DELETE FROM tokens WHERE user = ? AND expires IS NOT NULL", (user,))
