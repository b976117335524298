"""Stage 1 for a whole job: the script of every task role (rest-server: protocolRender)."""

from __future__ import annotations

from typing import Any

from openpai.core.protocol import js
from openpai.core.protocol.references import References, has, members
from openpai.core.protocol.templates import render

__all__ = ["render_auth", "render_job"]


def render_job(document: dict[str, Any], references: References) -> dict[str, str]:
    """Return the script of each task role of a job whose references have been checked.

    Raises:
        JsError: The server fails.
    """
    render_auth(document, references)
    deployment = _active_deployment(document, references)
    scripts: dict[int, str] = {}
    roles = members(document["taskRoles"])
    for name, role in roles:
        commands = _commands(role, name, deployment)
        # The server stores the script in the role, and an alias makes two names of one role.
        scripts[id(role)] = render(commands, _scope(document, role, references))
    return {name: scripts[id(role)] for name, role in roles}


def render_auth(document: dict[str, Any], references: References) -> dict[str, dict[str, str]]:
    """Return the credentials by image name, their ``$secrets`` filled in.

    Raises:
        JsError: The server fails; it does if a value is no text.
    """
    scope = {"$secrets": document.get("secrets", js.UNDEFINED)}
    images = references.prerequisites["dockerimage"]
    rendered: dict[int, dict[str, str]] = {}
    found = {}
    for name in js.keys(images):
        if has(images[name], "auth"):
            auth = images[name]["auth"]
            before = rendered.get(id(auth), auth)
            found[name] = rendered[id(auth)] = {
                key: render(value, scope) for key, value in members(before)
            }
    return found


def _active_deployment(document: dict[str, Any], references: References) -> Any:
    defaults: Any = document.get("defaults", {})
    if not has(defaults, "deployment"):
        return None
    return references.deployments.get(js.text(js.member(defaults, "deployment")))


def _commands(role: Any, name: str, deployment: Any) -> str:
    commands = js.member(role, "commands")
    if deployment is not None and deployment is not js.UNDEFINED:
        added = js.member(deployment, "taskRoles")
        if has(added, name):
            around = js.member(added, name)
            before = js.member(around, "preCommands") if has(around, "preCommands") else []
            after = js.member(around, "postCommands") if has(around, "postCommands") else []
            commands = [*before, *commands, *after]
    if not isinstance(commands, list):
        raise js.JsError(f"Cannot read properties of {commands} (reading 'map')")
    return "\n".join(_trimmed(command) for command in commands)


def _trimmed(command: Any) -> str:
    if not isinstance(command, str):
        raise js.JsError("command.trim is not a function")
    return js.trim(command)


def _scope(document: dict[str, Any], role: Any, references: References) -> dict[str, Any]:
    scope = {"$parameters": document.get("parameters", js.UNDEFINED)}
    for kind in ("script", "output", "data"):
        name = js.text(js.member(role, kind))
        scope[f"${kind}"] = references.prerequisites[kind].get(name, js.UNDEFINED)
    return scope
