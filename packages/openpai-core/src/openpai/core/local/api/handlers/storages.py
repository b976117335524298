"""Storages, also in the two older formats (rest-server/src/models/v2/storage.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.local.api.responses import HttpError, json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["listing", "old_config", "old_configs", "old_server", "old_servers", "one"]


def _granted(call: Call) -> list[str]:
    known = {*call.service.storages, *call.service.storages_elsewhere}
    return [name for name in call.rights.storages if name in known]


def _volume(name: str) -> str:
    return f"{name}-volume"


def listing(call: Call) -> Response:
    """``GET /storages[?default=true]``."""
    defaults = call.rights.default_storages
    shown = [
        {"name": name, "share": True, "volumeName": _volume(name), "default": name in defaults}
        for name in _granted(call)
    ]
    if call.request.args.get("default") == "true":
        shown = [item for item in shown if item["default"]]
    return json_response({"storages": shown})


def one(call: Call) -> Response:
    """``GET /storages/{name}``: folders are listed as NFS shares of this machine."""
    name = call.arguments[0]
    elsewhere = call.service.storages_elsewhere
    if name not in call.service.storages and name not in elsewhere:
        raise HttpError(404, "NoStorageError", f"Storage {name} is not found.")
    if name not in _granted(call):
        raise HttpError(
            403,
            "ForbiddenUserError",
            f"User {call.user.name} is not allowed to access {name}.",
        )
    config = elsewhere.get(name) or {
        "type": "nfs",
        "data": {"server": "127.0.0.1", "path": str(call.service.storages[name])},
    }
    return json_response(
        {
            "name": name,
            "share": True,
            "volumeName": _volume(name),
            "readOnly": False,
            "mountOptions": [],
            **config,
        }
    )


def _requested(call: Call, names: list[str]) -> list[str]:
    wanted = call.request.args.getlist("names")
    return [name for name in names if not wanted or name in wanted]


def _old_config(call: Call, name: str) -> dict[str, Any]:
    server = _volume(name)
    mount = {"mountPoint": f"/mnt/{name}", "path": "", "server": server, "permission": "rw"}
    return {
        "name": name,
        "default": name in call.rights.default_storages,
        "servers": [server],
        "mountInfos": [mount],
    }


def old_configs(call: Call) -> Response:
    """``GET /storage/config``."""
    return json_response([_old_config(call, name) for name in _requested(call, _granted(call))])


def old_config(call: Call) -> Response:
    """``GET /storage/config/{name}``."""
    if call.arguments[0] not in _granted(call):
        raise _unknown("Config not found.")
    return json_response(_old_config(call, call.arguments[0]))


def _old_server(call: Call, name: str) -> dict[str, Any]:
    return {
        "spn": _volume(name),
        "type": "nfs",
        "data": {"address": "127.0.0.1", "rootPath": str(call.service.storages[name])},
        "extension": {},
    }


def old_servers(call: Call) -> Response:
    """``GET /storage/server``."""
    volumes = {_volume(name): name for name in _granted(call) if name in call.service.storages}
    return json_response([_old_server(call, volumes[v]) for v in _requested(call, list(volumes))])


def old_server(call: Call) -> Response:
    """``GET /storage/server/{volume}``."""
    volumes = {_volume(name): name for name in _granted(call) if name in call.service.storages}
    if call.arguments[0] not in volumes:
        raise _unknown("Server not found.")
    return json_response(_old_server(call, volumes[call.arguments[0]]))


def _unknown(message: str) -> HttpError:
    return HttpError(404, "NoStorageError", message)
