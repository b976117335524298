"""Tokens (rest-server/src/controllers/v2/token.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api.responses import HttpError, answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["check", "create_application", "listing", "revoke"]


def listing(call: Call) -> Response:
    """``GET /tokens``: one's own."""
    return answer({"tokens": call.service.tokens.list(call.user.name)})


def check(call: Call) -> Response:
    """``GET /tokens/check``: what the shown token says, and whether its user is an admin now."""
    return answer({**call.claims, "admin": call.rights.admin})


def create_application(call: Call) -> Response:
    """``POST /tokens/application``."""
    token = call.service.tokens.issue(call.user.name, application=True)
    return answer({"token": token, "application": True})


def revoke(call: Call) -> Response:
    """``DELETE /tokens/{token}``; revoking twice is fine."""
    token = call.arguments[0]
    claims = call.service.tokens.read(token)
    if claims is None:
        raise HttpError(400, "UnknownError", "The token in the path is broken or has expired.")
    if claims["username"] != call.user.name:
        raise HttpError(
            403,
            "ForbiddenUserError",
            f"User {call.user.name} is not allowed to do this operation.",
        )
    call.service.tokens.revoke(token)
    return answer({"message": "revoke successfully"})
