"""Log in and out, and ask what a token is good for (tags *authn* and *token*)."""

from __future__ import annotations

from openpai.core.rest.record import Record, flag, optional_integer, text
from openpai.core.rest.session import Session, segment

__all__ = [
    "Login",
    "TokenClaims",
    "basic_login",
    "basic_logout",
    "check_token",
    "create_application_token",
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
        admin: Whether the user administers the cluster now.
        issued: Unix seconds.
        expires: Unix seconds; ``None`` for an application token.
    """

    __slots__ = ()
    username = text("username")
    application = flag("application")
    admin = flag("admin")
    issued = optional_integer("iat")
    expires = optional_integer("exp")


def basic_login(session: Session, user: str, password: str) -> Login:
    """``POST /api/v2/authn/basic/login`` (rest-server/src/routes/authn.js).

    Raises:
        AuthenticationError: The password is wrong (the server answers 400).
        NotFoundError: There is no such user (the server answers 400).
        ApiError: The name or password breaks the server's rules, or it signs in by OIDC only.
        ConnectionFailed: No answer came.
    """
    response = session.request(
        "POST",
        "/authn/basic/login",
        json={"username": user, "password": password},
        authorized=False,
    )
    return Login(response.json())


def basic_logout(session: Session) -> None:
    """``DELETE /api/v2/authn/basic/logout``: revoke the session's token.

    Raises:
        ApiError: The token was no longer good, or is an application token.
        ConnectionFailed: No answer came.
    """
    session.send("DELETE", "/authn/basic/logout")


def check_token(session: Session) -> TokenClaims:
    """``GET /api/v2/tokens/check`` (rest-server/src/controllers/v2/token.js; an undocumented call).

    Raises:
        AuthenticationError: The token is not good.
        ConnectionFailed: No answer came.
    """
    return TokenClaims(session.get("/tokens/check"))


def create_application_token(session: Session) -> str:
    """``POST /api/v2/tokens/application``: return a token without an end of life.

    Raises:
        PermissionDeniedError: The session itself uses an application token.
        ConnectionFailed: No answer came.
    """
    return str(session.send("POST", "/tokens/application")["token"])


def revoke_token(session: Session, token: str) -> None:
    """``DELETE /api/v2/tokens/{token}``: revoke one of the user's own tokens.

    Raises:
        PermissionDeniedError: It is another user's.
        ServerError: It is no token, or an expired one (the server answers 500).
        ConnectionFailed: No answer came.
    """
    session.send("DELETE", f"/tokens/{segment(token)}")
