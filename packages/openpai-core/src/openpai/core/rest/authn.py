"""Log in and out, check tokens (tags *authn* and *token*)."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import urlencode

from openpai.core.rest import jwt
from openpai.core.rest.fields import Record, flag, optional_integer, text
from openpai.core.rest.session import Session, segment

__all__ = [
    "Login",
    "TokenClaims",
    "basic_login",
    "basic_logout",
    "check_token",
    "create_application_token",
    "list_tokens",
    "oidc_login_url",
    "oidc_logout_url",
    "revoke_token",
]


class Login(Record):
    """Answer of a login. ``repr`` does not show the token.

    Attributes:
        user: The user's name.
        token: A token of the server's own lifetime (7 days unless configured otherwise).
        admin: Whether the user administers the cluster.
    """

    __slots__ = ()
    user = text("user")
    token = text("token")
    admin = flag("admin")


class TokenClaims(Record):
    """Whom a token stands for.

    Attributes:
        username: The user.
        application: Whether it is an application token, which never expires by itself.
        admin: Whether the user administers the cluster now (as the server reports; tokens do not).
        issued: Unix seconds.
        expires: Unix seconds; ``None`` for an application token.
    """

    __slots__ = ()
    username = text("username")
    application = flag("application")
    admin = flag("admin")
    issued = optional_integer("iat")
    expires = optional_integer("exp")

    @classmethod
    def from_token(cls, token: str) -> TokenClaims:
        """Return the claims of a token; only the server knows whether it is valid."""
        return cls(jwt.claims(token))

    @property
    def expires_at(self) -> datetime | None:
        """When it ends, in UTC; ``None`` for an application token."""
        end = self.expires
        return None if end is None else datetime.fromtimestamp(end, timezone.utc)


def basic_login(session: Session, user: str, password: str) -> Login:
    """``POST /api/v2/authn/basic/login`` (rest-server/src/routes/authn.js); needs no rights.

    The token's life is the server's setting; an ``expiration`` would be read and ignored.

    Raises:
        AuthenticationError: The password is wrong (the server answers 400).
        NotFoundError: There is no such user (400), or the cluster signs in by OIDC only.
        ApiError: The name or password breaks the server's rules.
    """
    body = {"username": user, "password": password}
    path = "/authn/basic/login"
    return Login(
        session.json("POST", path, kind=dict, json=body, authorized=False, repeatable=True)
    )


def basic_logout(session: Session) -> None:
    """``DELETE /api/v2/authn/basic/logout``: revoke the session's token (a user token).

    Source: rest-server/src/controllers/v2/token.js.

    Raises:
        AuthenticationError: The token is no longer valid.
        PermissionDeniedError: It is an application token.
    """
    session.send("DELETE", "/authn/basic/logout")


def oidc_login_url(session: Session, redirect_uri: str, opaque: str = "") -> str:
    """The address of ``GET /api/v2/authn/oidc/login``, for a browser.

    After the sign-in the browser is sent to ``redirect_uri`` with a query of ``user``, ``token``,
    ``admin`` and ``from`` (rest-server/src/controllers/v2/azureAD.js). Only the v1 path answers
    failures by a redirect, too, with ``errorMessage``; so it is the one used.

    Args:
        session: The cluster's session; nothing is sent.
        redirect_uri: Where to come back to; it must have no query of its own.
        opaque: Comes back as ``from``.
    """
    query = urlencode({"redirect_uri": redirect_uri, "from": opaque})
    return f"{session.address.url('/api/v1/authn/oidc/login')}?{query}"


def oidc_logout_url(session: Session) -> str:
    """The address of ``GET /api/v2/authn/oidc/logout``, for a browser.

    It leads to the provider's own page; PAI's tokens stay valid (see :func:`revoke_token`).

    Source: rest-server/src/controllers/v2/azureAD.js.
    """
    return session.address.url("/authn/oidc/logout")


def check_token(session: Session) -> TokenClaims:
    """``GET /api/v2/tokens/check`` (rest-server/src/controllers/v2/token.js); any token.

    An undocumented call, and the cheapest to learn who one is.

    Raises:
        AuthenticationError: The token is not valid.
    """
    return TokenClaims(session.get("/tokens/check", kind=dict))


def list_tokens(session: Session) -> list[str]:
    """``GET /api/v2/tokens``: the user's own tokens of both kinds; needs a user token.

    :meth:`TokenClaims.from_token` distinguishes them.

    Source: rest-server/src/controllers/v2/token.js.

    Raises:
        PermissionDeniedError: The session itself uses an application token.
    """
    return [str(token) for token in session.get("/tokens", kind=list, key="tokens")]


def create_application_token(session: Session) -> str:
    """``POST /api/v2/tokens/application``: return a token without an end of life.

    Needs a user token (rest-server/src/controllers/v2/token.js).

    Raises:
        PermissionDeniedError: The session itself uses an application token.
        ConnectionFailed: No answer came; a token may have been made, see :func:`list_tokens`.
    """
    return str(session.json("POST", "/tokens/application", kind=str, key="token", json={}))


def revoke_token(session: Session, token: str) -> None:
    """``DELETE /api/v2/tokens/{token}``: revoke one of the user's own tokens; needs a user token.

    Source: rest-server/src/controllers/v2/token.js.

    Raises:
        PermissionDeniedError: It is another user's.
        ServerError: It is not a token, or an expired one (the server answers 500).
    """
    session.send("DELETE", f"/tokens/{segment(token)}", repeatable=True)
