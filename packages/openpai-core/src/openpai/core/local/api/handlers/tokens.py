"""Tokens (rest-server/src/controllers/v2/token.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api.responses import HttpError, json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["check", "create_application", "listing", "revoke"]


def listing(call: Call) -> Response:
    """``GET /tokens``: those of the user."""
    return json_response({"tokens": call.service.tokens.list(call.user.name)})


def check(call: Call) -> Response:
    """``GET /tokens/check``: the token's claims, and whether its user is an admin."""
    return json_response({**call.claims, "admin": call.rights.admin})


def create_application(call: Call) -> Response:
    """``POST /tokens/application``."""
    token = call.service.tokens.issue(call.user.name, application=True)
    return json_response({"token": token, "application": True})


def revoke(call: Call) -> Response:
    """``DELETE /tokens/{token}``, also if it is revoked already."""
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
    return json_response({"message": "revoke successfully"})
