"""Groups (rest-server/src/controllers/v2/group.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.local.api.body_schema import (
    ANYTHING,
    OBJECT,
    check,
    check_changes,
    object_schema,
    string,
)
from openpai.core.local.api.responses import HttpError, json_response
from openpai.core.local.state.models import Group, User

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["create", "delete", "listing", "members", "one", "set_extension", "update"]

_NAME = string("[A-Za-z0-9_]+")
_FREE = string(shortest=0)
_NEW = object_schema(
    {
        "groupname": _NAME,
        "description": {**_FREE, "default": ""},
        "externalName": {**_FREE, "default": ""},
        "extension": {**OBJECT, "default": {}},
    }
)
_CHANGES = {
    "groupname": _NAME,
    "description": _FREE,
    "externalName": _FREE,
    "extension": OBJECT,
}


def listing(call: Call) -> Response:
    """``GET /groups``."""
    return json_response(
        [_shown(group) for group in call.service.store.find(Group, "1 ORDER BY name")]
    )


def one(call: Call) -> Response:
    """``GET /groups/{name}``."""
    return json_response(_shown(_existing(call, call.arguments[0], 400)))


def _shown(group: Group) -> dict[str, Any]:
    return {
        "groupname": group.name,
        "description": group.description,
        "externalName": group.external,
        "extension": group.extension,
    }


def _existing(call: Call, name: str, status: int) -> Group:
    found = call.service.store.one(Group, "name = ?", (name,))
    if found is None:
        raise HttpError(status, "NoGroupError", f"Group {name} is not found.")
    return found


def members(call: Call) -> Response:
    """``GET /groups/{name}/userlist``."""
    call.require_admin()
    users = call.service.store.find(User, "1 ORDER BY rowid")
    return json_response(
        [
            {"username": user.name, "clusterAdmin": call.service.rights(user).admin}
            for user in users
            if call.arguments[0] in user.groups
        ]
    )


def _complete(extension: dict[str, Any]) -> dict[str, Any]:
    acls = extension.get("acls")
    acls = acls if isinstance(acls, dict) else {}
    return {**extension, "acls": {"admin": False, "virtualClusters": [], **acls}}


def create(call: Call) -> Response:
    """``POST /groups``."""
    values = check(call.body, _NEW)
    call.require_admin()
    name = values["groupname"]
    if call.service.store.one(Group, "name = ?", (name,)):
        raise HttpError(409, "UnknownError", f"Group {name} already exists.")
    extension = _complete(values["extension"])
    call.service.store.save(Group(name, values["description"], values["externalName"], extension))
    return json_response({"message": "group is created successfully"}, 201)


def update(call: Call) -> Response:
    """``PUT /groups``; without ``patch`` every key is required."""
    data = check_changes(call.body, "groupname", _CHANGES)
    call.require_admin()
    group = _existing(call, data["groupname"], 400)
    group.description = data.get("description", group.description)
    group.external = data.get("externalName", group.external)
    group.extension.update(data.get("extension", {}))
    call.service.store.save(group)
    return json_response({"message": f"update group {group.name} successfully."}, 201)


def set_extension(call: Call) -> Response:
    """``PUT /groups/{name}/extension/{attribute}[/{inner attribute}]``."""
    values = check(call.body, object_schema({"data": ANYTHING}))
    call.require_admin()
    name, *path = call.arguments
    group = _existing(call, name, 400)
    place = group.extension
    for part in path[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            message = f"'{part}' of group {name} is not an object."
            raise HttpError(400, "InvalidParametersError", message)
    place[path[-1]] = values["data"]
    call.service.store.save(group)
    return json_response({"message": "Update group extension data successfully."}, 201)


def delete(call: Call) -> Response:
    """``DELETE /groups/{name}``, also from its users."""
    call.require_admin()
    name = call.arguments[0]
    store = call.service.store
    group = store.one(Group, "name = ?", (name,))
    if group is None:
        raise HttpError(404, "NoGroupError", f"Group {name} is not found.")
    with store.transaction():
        store.delete(group)
        for user in store.find(User):
            if name in user.groups:
                user.groups.remove(name)
                store.save(user)
    return json_response({"message": "group is removed successfully"})
