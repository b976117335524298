"""Login and logout (rest-server/src/routes/authn.js, controllers/v2/token.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api.body_schema import check, object_schema, string
from openpai.core.local.api.responses import HttpError, json_response
from openpai.core.local.state.accounts import is_password
from openpai.core.local.state.models import User

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["info", "login", "logout"]

_LOGIN = object_schema(
    {
        "username": string("[A-Za-z0-9_.-]+"),
        "password": string(shortest=6),
        # validated and ignored, as in the real server: tokens have a fixed lifetime
        "expiration": {"type": "integer", "minimum": 60, "maximum": 7 * 24 * 3600},
    },
    required=["username", "password"],
)


def info(_: Call) -> Response:
    """``GET /authn/info``."""
    return json_response(
        {
            "authn_type": "basic",
            "loginURI": "/api/v1/authn/basic/login",
            "loginURIMethod": "post",
        }
    )


def login(call: Call) -> Response:
    """``POST /authn/basic/login``, ``/tokens`` and ``/api/v1/token``."""
    values = check(call.body, _LOGIN)
    user = call.service.store.one(User, "name = ?", (values["username"],))
    if user is None:
        raise HttpError(400, "NoUserError", f"User {values['username']} is not found.")
    if not is_password(user.password, values["password"]):
        raise HttpError(400, "IncorrectPasswordError", "Password is incorrect.")
    body = {
        "user": user.name,
        "token": call.service.tokens.issue(user.name),
        "admin": call.service.rights(user).admin,
    }
    if "githubPAT" in user.extension:
        body["hasGitHubPAT"] = user.extension["githubPAT"]
    return json_response(body)


def logout(call: Call) -> Response:
    """``DELETE /authn/basic/logout``: revoke the request's token."""
    call.service.tokens.revoke(call.token)
    return json_response({"message": "Logout successfully"})
