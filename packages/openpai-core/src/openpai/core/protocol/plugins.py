"""Plugins of PAI's runtime: bash before and after the user's commands.

Plugins come from two places, in this order (openpai-runtime: src/init.d/initializer.py): the
prerequisites that the task role lists, and ``extras["com.microsoft.pai.runtimeplugin"]``. What runs
before goes in this order, what runs after success in the reverse one.

``cmd`` is bash already. The other plugins are installed in PAI's containers only; their steps do
what can be done on any machine, and say so where nothing can.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Callable, List, Mapping, Tuple

__all__ = ["PLUGINS_KEY", "Plugin", "plugin_commands", "role_plugins"]

PLUGINS_KEY = "com.microsoft.pai.runtimeplugin"
"""The key in ``extras``, and the beginning of a prerequisite's ``plugin``."""

#: PAI's documentation says 30; its code takes 5 hours
_BARRIER_MINUTES = 30

Commands = Tuple[List[str], List[str]]


@dataclass(frozen=True)
class Plugin:
    """One use of a plugin.

    Attributes:
        name: ``cmd``, ``ssh``, ``git``, ``tensorboard``, ``teamwise_storage`` or another.
        parameters: What the job says, templates not filled in.
        ignores_failure: Whether the task continues when the plugin fails.
    """

    name: str
    parameters: Any
    ignores_failure: bool = False


def role_plugins(document: Mapping[str, Any], role: str) -> list[Plugin]:
    """Return the plugins of a task role, in the order in which they run."""
    by_name = {item["name"]: item for item in document.get("prerequisites") or ()}
    found = []
    for name in document["taskRoles"][role].get("prerequisites") or ():
        item = by_name.get(name, {})
        if isinstance(item.get("plugin"), str) and item["plugin"].startswith(PLUGINS_KEY + "."):
            others = {key: item[key] for key in item if key not in _NOT_PARAMETERS}
            found.append(_plugin(item["plugin"][len(PLUGINS_KEY) + 1 :], others, item))
    listed = (document.get("extras") or {}).get(PLUGINS_KEY)
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and role in item.get("taskroles", [role]):
            found.append(_plugin(str(item.get("plugin")), item.get("parameters"), item))
    return found


_NOT_PARAMETERS = ("plugin", "failurePolicy", "type")


def _plugin(name: str, parameters: Any, item: Mapping[str, Any]) -> Plugin:
    return Plugin(name, parameters, str(item.get("failurePolicy", "fail")).lower() == "ignore")


def plugin_commands(name: str, parameters: Any, *, is_first: bool) -> Commands:
    """Return the shell lines of a plugin (before the user's commands, after their success).

    Args:
        name: The plugin.
        parameters: Its parameters, templates filled in.
        is_first: Whether this is task 0 of the first task role.
    """
    make = _COMMANDS.get(name)
    if make is None:
        return [f"echo {shlex.quote(f'Plugin {name} is unknown.')} >&2", "exit 1"], []
    return make(parameters if isinstance(parameters, dict) else {}, is_first)


def _cmd(parameters: Mapping[str, Any], _: bool) -> Commands:
    if "callbacks" not in parameters:
        return list(parameters.get("preCommands") or ()), list(parameters.get("postCommands") or ())
    before: list[str] = []
    after: list[str] = []
    lists = {"taskStarts": before, "taskSucceeds": after}
    for callback in parameters["callbacks"]:
        # PAI's runtime passes over events that it does not know.
        lists.get(callback.get("event"), []).extend(callback.get("commands") or ())
    return before, after


def _git(parameters: Mapping[str, Any], _: bool) -> Commands:
    folder = shlex.quote(str(parameters.get("clone_dir", "code")))
    options = [shlex.quote(str(option)) for option in parameters.get("options") or ()]
    words = ["git", "clone", *options, "--", shlex.quote(str(parameters.get("repo_uri"))), folder]
    return [f"[ -e {folder}/.git ] || {' '.join(words)}"], []


def _tensorboard(parameters: Mapping[str, Any], is_first: bool) -> Commands:
    folders = parameters.get("logdir") or {}
    if not is_first or not folders:
        return [], []
    port = shlex.quote(str(parameters.get("port", 6006)))
    named = ",".join(f"{name}:{path}" for name, path in folders.items())
    where = f"--logdir={shlex.quote(str(next(iter(folders.values()))))}"
    if len(folders) > 1:
        where = f"--logdir_spec={shlex.quote(named)}"
    command = f"tensorboard {where} --port={port} --bind_all"
    return [
        "if command -v tensorboard > /dev/null",
        f"then {command} > tensorboard.log 2>&1 < /dev/null &",
        "else echo 'TensorBoard is not installed: the plugin does nothing.'",
        "fi",
    ], []


def _ssh(parameters: Mapping[str, Any], _: bool) -> Commands:
    """PAI sets up the container's own sshd; where tasks share a machine, their host helps."""
    if not parameters:
        return [], []
    minutes = 0
    if parameters.get("sshbarrier"):
        minutes = int(parameters.get("sshbarrierTimeout") or _BARRIER_MINUTES)
    nothing = "The ssh plugin sets up the containers of a PAI cluster: nothing to do here."
    if not parameters.get("jobssh"):
        return [f"echo {shlex.quote(nothing)}"], []
    return [
        'if [ -n "${OPENPAI_SSH_PLUGIN:-}" ]',
        f'then bash -c "$OPENPAI_SSH_PLUGIN {minutes}"',
        f"else echo {shlex.quote(nothing)}",
        "fi",
    ], []


def _teamwise_storage(_: Mapping[str, Any], __: bool) -> Commands:
    return ["echo 'The teamwise_storage plugin is replaced by extras.storages: nothing to do.'"], []


_COMMANDS: dict[str, Callable[[Mapping[str, Any], bool], Commands]] = {
    "cmd": _cmd,
    "git": _git,
    "tensorboard": _tensorboard,
    "ssh": _ssh,
    "teamwise_storage": _teamwise_storage,
}
