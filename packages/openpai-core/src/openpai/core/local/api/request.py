"""One request to the API: its user, rights and body."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request

from openpai.core.local.api.responses import HttpError
from openpai.core.local.state.accounts import Rights
from openpai.core.local.state.models import User

if TYPE_CHECKING:
    from openpai.core.local.service import Service

__all__ = [
    "Call",
]


@dataclass
class Call:
    """One request with its user and path arguments.

    Attributes:
        service: The cluster.
        request: The request.
        body: Its parsed body; see :func:`~openpai.core.local.api.responses.read_body`.
        arguments: The variable parts of the path in order.
    """

    service: Service
    request: Request
    body: Any
    arguments: tuple[str, ...]
    _user: User | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    token: str = ""

    @property
    def user(self) -> User:
        """The authenticated user."""
        assert self._user is not None
        return self._user

    @property
    def rights(self) -> Rights:
        """The rights of the user."""
        return self.service.rights(self.user)

    def authenticate(self) -> None:
        """Authenticate the user by the token in the header.

        Raises:
            HttpError: There is no token, or it is not valid.
        """
        header = self.request.headers.get("Authorization")
        if header is None:
            raise HttpError(
                401, "UnauthorizedUserError", "Guest is not allowed to do this operation."
            )
        scheme, _, credentials = header.partition(" ")
        name = None
        if scheme.lower() == "basic":
            name, credentials = _basic(credentials)
        elif scheme.lower() != "bearer":
            credentials = ""
        claims = self.service.tokens.claims(credentials) if credentials else None
        if claims is not None and name is not None:
            good = claims["application"] and claims["username"] == name
            claims = claims if good else None
        user = claims and self.service.store.one(User, "name = ?", (claims["username"],))
        if not claims or not user:
            raise HttpError(401, "UnauthorizedUserError", "Your token is invalid.")
        self._user, self.claims, self.token = user, claims, credentials

    def require_login_token(self) -> None:
        """Refuse application tokens."""
        if self.claims["application"]:
            raise HttpError(
                403,
                "ForbiddenUserError",
                "Applications are not allowed to do this operation.",
            )

    def require_admin(self) -> None:
        """Refuse users who are not admins."""
        if not self.rights.admin:
            raise HttpError(
                403, "ForbiddenUserError", "Non-admin is not allow to do this operation."
            )


def _basic(credentials: str) -> tuple[str, str]:
    try:
        name, _, token = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, token
