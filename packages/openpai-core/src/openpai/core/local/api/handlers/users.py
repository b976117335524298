"""Users (rest-server/src/controllers/v2/user.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.local.api.body_schema import (
    BOOLEAN,
    EMAIL,
    OBJECT,
    STRINGS,
    check,
    check_changes,
    object_schema,
    string,
)
from openpai.core.local.api.responses import HttpError, json_response
from openpai.core.local.state.accounts import hash_password, is_password
from openpai.core.local.state.models import Group, User

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = [
    "add_group",
    "create",
    "delete",
    "listing",
    "one",
    "remove_group",
    "set_admin",
    "set_email",
    "set_extension",
    "set_groups",
    "set_password",
    "set_virtual_clusters",
    "update",
    "update_self",
]


def listing(call: Call) -> Response:
    """``GET /users``: for all users."""
    users = call.service.store.find(User, "1 ORDER BY name")
    return json_response([_user(call, user) for user in users])


def one(call: Call) -> Response:
    """``GET /users/{name}``."""
    name = call.arguments[0]
    user = call.service.store.one(User, "name = ?", (name,))
    if user is None:
        raise HttpError(400, "NoUserError", f"User {name} is not found.")
    return json_response(_user(call, user))


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


_NAME = string("[A-Za-z0-9_.-]+")


_PASSWORD = string(shortest=6)


_ADMINS = "admingroup"


_NEW = object_schema(
    {
        "username": _NAME,
        "email": {**EMAIL, "default": ""},
        "virtualCluster": {**STRINGS, "default": []},
        "admin": {**BOOLEAN, "default": False},
        "password": _PASSWORD,
        "extension": {**OBJECT, "default": {}},
    }
)
_CHANGES = {
    "username": _NAME,
    "email": EMAIL,
    "virtualCluster": STRINGS,
    "admin": BOOLEAN,
    "password": _PASSWORD,
    "extension": OBJECT,
}
_OWN_CHANGES = {
    "username": _NAME,
    "email": EMAIL,
    "oldPassword": _PASSWORD,
    "newPassword": _PASSWORD,
    "extension": OBJECT,
}


def create(call: Call) -> Response:
    """``POST /users``."""
    values = check(call.body, _NEW)
    call.require_admin()
    groups = _groups_of(call, values["virtualCluster"], values["admin"])
    if call.service.store.one(User, "name = ?", (values["username"],)):
        message = f"User name {values['username']} already exists."
        raise HttpError(409, "ConflictUserError", message)
    call.service.store.save(
        User(
            values["username"],
            hash_password(values["password"]),
            values["email"],
            groups,
            values["extension"],
        )
    )
    return json_response({"message": "User is created successfully"}, 201)


def _groups_of(call: Call, virtual_clusters: list[str], admin: bool) -> list[str]:
    """Return the groups of a user with these virtual clusters; ``default`` is always among them."""
    found = []
    for name in virtual_clusters:
        group = call.service.store.one(Group, "name = ?", (name,))
        if group is None:
            raise HttpError(404, "NoGroupError", f"No groups for vc: {name}")
        if name not in group.extension.get("acls", {}).get("virtualClusters", ()):
            raise HttpError(400, "NoVirtualClusterError", f"Virtual cluster {name} is not found.")
        found.append(name)
    if "default" not in found:
        found.append("default")
    return [*found, _ADMINS] if admin else found


def _existing(call: Call, name: str) -> User:
    user = call.service.store.one(User, "name = ?", (name,))
    if user is None:
        raise HttpError(404, "NoUserError", f"User {name} not found.")
    return user


def update(call: Call) -> Response:
    """``PUT /users``: new virtual clusters replace all groups, also that of admins."""
    data = check_changes(call.body, "username", _CHANGES)
    call.require_admin()
    user = _existing(call, data["username"])
    if "virtualCluster" in data:
        user.groups = _groups_of(call, data["virtualCluster"], bool(data.get("admin")))
    elif "admin" in data:
        _set_admin(user, data["admin"])
    user.email = data.get("email", user.email)
    user.extension.update(data.get("extension", {}))
    if "password" in data:
        _set_password(call, user, data["password"])
    call.service.store.save(user)
    return json_response({"message": f"Update user {user.name} successfully"}, 201)


def update_self(call: Call) -> Response:
    """``PUT /users/me``: passwords are accepted and, as in the real server, not changed."""
    data = check_changes(call.body, "username", _OWN_CHANGES)
    if data["username"] != call.user.name:
        raise HttpError(403, "ForbiddenUserError", "Can't update other user's data")
    user = call.user
    user.email = data.get("email", user.email)
    user.extension.update(data.get("extension", {}))
    call.service.store.save(user)
    return json_response({"message": f"Update user {user.name} successfully"}, 201)


def delete(call: Call) -> Response:
    """``DELETE /users/{name}``, except admins."""
    call.require_admin()
    user = _existing(call, call.arguments[0])
    if call.service.rights(user).admin:
        raise HttpError(403, "RemoveAdminError", f"Admin {user.name} is not allowed to remove.")
    with call.service.store.transaction():
        call.service.store.delete(user)
        call.service.store.execute("DELETE FROM tokens WHERE user = ?", (user.name,))
    return json_response({"message": "user is removed successfully"})


def _set_admin(user: User, admin: bool) -> None:
    user.groups = [name for name in user.groups if name != _ADMINS]
    if admin:
        user.groups.append(_ADMINS)


def _set_password(call: Call, user: User, password: str) -> None:
    """Set a user's password and revoke the login tokens."""
    user.password = hash_password(password)
    call.service.tokens.revoke_logins(user.name)


def set_admin(call: Call) -> Response:
    """``PUT /users/{name}/admin``."""
    values = check(call.body, object_schema({"admin": BOOLEAN}))
    call.require_admin()
    user = _existing(call, call.arguments[0])
    _set_admin(user, values["admin"])
    call.service.store.save(user)
    return json_response({"message": "update user admin successfully."}, 201)


def set_virtual_clusters(call: Call) -> Response:
    """``PUT /users/{name}/virtualcluster``: replaces all groups."""
    values = check(call.body, object_schema({"virtualCluster": STRINGS}))
    call.require_admin()
    user = _existing(call, call.arguments[0])
    if call.service.rights(user).admin:
        raise HttpError(403, "ForbiddenUserError", "Admin's virtual clusters cannot be updated.")
    user.groups = _groups_of(call, values["virtualCluster"], False)
    call.service.store.save(user)
    return json_response({"message": "update user virtualCluster successfully."}, 201)


def set_groups(call: Call) -> Response:
    """``PUT /users/{name}/grouplist``."""
    values = check(call.body, object_schema({"grouplist": STRINGS}))
    call.require_admin()
    user = _existing(call, call.arguments[0])
    known = {group.name for group in call.service.store.find(Group)}
    unknown = [name for name in values["grouplist"] if name not in known]
    if unknown:
        message = f"Updated nonexistent grouplist: {','.join(unknown)}"
        raise HttpError(404, "NoGroupError", message)
    user.groups = list(dict.fromkeys(values["grouplist"]))
    call.service.store.save(user)
    return json_response({"message": "update user grouplist successfully."}, 201)


def _named_group(call: Call) -> tuple[User, str]:
    values = check(call.body, object_schema({"groupname": string("[A-Za-z0-9_]+")}))
    call.require_admin()
    user = _existing(call, call.arguments[0])
    name: str = values["groupname"]
    if call.service.store.one(Group, "name = ?", (name,)) is None:
        raise HttpError(404, "NoGroupError", f"Group {name} is not found.")
    return user, name


def add_group(call: Call) -> Response:
    """``PUT /users/{name}/group``."""
    user, name = _named_group(call)
    user.groups = list(dict.fromkeys([*user.groups, name]))
    call.service.store.save(user)
    return json_response({"message": f"User {user.name} is added into group {name}"}, 201)


def remove_group(call: Call) -> Response:
    """``DELETE /users/{name}/group``, with a body."""
    user, name = _named_group(call)
    user.groups = [group for group in user.groups if group != name]
    call.service.store.save(user)
    return json_response({"message": f"User {user.name} is removed from group {name}"}, 201)


def _own_or_admin(call: Call) -> User:
    if call.user.name != call.arguments[0]:
        call.require_admin()
    return _existing(call, call.arguments[0])


def set_extension(call: Call) -> Response:
    """``PUT /users/{name}/extension``: its first level is merged, nothing is removed."""
    values = check(call.body, object_schema({"extension": OBJECT}))
    user = _own_or_admin(call)
    user.extension.update(values["extension"])
    call.service.store.save(user)
    return json_response({"message": "Update user extension data successfully."}, 201)


def set_email(call: Call) -> Response:
    """``PUT /users/{name}/email``."""
    values = check(call.body, object_schema({"email": EMAIL}))
    user = _own_or_admin(call)
    user.email = values["email"]
    call.service.store.save(user)
    return json_response({"message": "update user email successfully."}, 201)


def set_password(call: Call) -> Response:
    """``PUT /users/{name}/password``: by an admin, or with the old password."""
    schema = object_schema({"oldPassword": _PASSWORD, "newPassword": _PASSWORD}, ["newPassword"])
    values = check(call.body, schema)
    user = _existing(call, call.arguments[0])
    if not call.rights.admin and not is_password(user.password, values.get("oldPassword", "")):
        raise HttpError(403, "ForbiddenUserError", "Pls input the correct password.")
    _set_password(call, user, values["newPassword"])
    call.service.store.save(user)
    return json_response({"message": "update user password successfully."}, 201)
