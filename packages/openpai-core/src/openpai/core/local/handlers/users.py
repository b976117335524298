"""Users and groups (rest-server/src/controllers/v2/user.js, group.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.local.records import Group, User
from openpai.core.local.wire import Refusal, answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.app import Call

__all__ = ["group", "groups", "listing", "members", "one"]


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


def groups(call: Call) -> Response:
    """``GET /groups``."""
    found = call.service.store.find(Group, "1 ORDER BY name")
    return answer([_group(group) for group in found])


def group(call: Call) -> Response:
    """``GET /groups/{name}``."""
    name = call.arguments[0]
    found = call.service.store.one(Group, "name = ?", (name,))
    if found is None:
        raise Refusal(400, "NoGroupError", f"Group {name} is not found.")
    return answer(_group(found))


def _group(found: Group) -> dict[str, Any]:
    return {
        "groupname": found.name,
        "description": found.description,
        "externalName": found.external,
        "extension": found.extension,
    }


def members(call: Call) -> Response:
    """``GET /groups/{name}/userlist``."""
    call.require_admin()
    name = call.arguments[0]
    users = call.service.store.find(User, "1 ORDER BY rowid")
    return answer(
        [
            {"username": user.name, "clusterAdmin": call.service.rights(user).admin}
            for user in users
            if name in user.groups
        ]
    )
