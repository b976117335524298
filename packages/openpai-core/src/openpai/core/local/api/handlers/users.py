"""Looking at users (rest-server/src/controllers/v2/user.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.local.state.models import User
from openpai.core.local.api.responses import Refusal, answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.app import Call

__all__ = ["listing", "one"]


def listing(call: Call) -> Response:
    """``GET /users``: everybody may see everybody."""
    users = call.service.store.find(User, "1 ORDER BY name")
    return answer([_user(call, user) for user in users])


def one(call: Call) -> Response:
    """``GET /users/{name}``."""
    name = call.arguments[0]
    user = call.service.store.one(User, "name = ?", (name,))
    if user is None:
        raise Refusal(400, "NoUserError", f"User {name} is not found.")
    return answer(_user(call, user))


def _user(call: Call, user: User) -> dict[str, Any]:
    rights = call.service.rights(user)
    return {
        "username": user.name,
        "grouplist": user.groups,
        "email": user.email,
        "extension": user.extension,
        "admin": rights.admin,
        "virtualCluster": list(rights.virtual_clusters),
        "storageConfig": list(rights.storages),
    }
