"""Read the values of job options: variables, secrets, ports, mounts, callbacks, names."""

from __future__ import annotations

import os
from typing import Any

from openpai.core.errors import ConfigError

__all__ = [
    "expand_name",
    "parse_callback",
    "parse_mount",
    "parse_port",
    "parse_secret",
    "parse_variable",
]

_VARIABLE_HINT = "Write NAME=VALUE."


def parse_variable(text: str) -> tuple[str, str]:
    """Read ``K=V``, or ``K`` with its value in this process's environment.

    Raises:
        ConfigError: The name is invalid, or the variable is not set.
    """
    key, equals, value = text.partition("=")
    if not key.isidentifier() or not key.isascii():
        raise ConfigError(f"invalid variable name '{key}'", _VARIABLE_HINT)
    if equals:
        return key, value
    if key not in os.environ:
        raise ConfigError(f"The variable '{key}' is not set here.", f"Set it: export {key}=VALUE")
    return key, os.environ[key]


def parse_secret(key: str) -> tuple[str, str]:
    """Read the name of a variable of this process's environment.

    Raises:
        ConfigError: The name is invalid, or the variable is not set.
    """
    if "=" in key:
        raise ConfigError(f"invalid variable name '{key}'", "Write only the variable's name.")
    return parse_variable(key)


def parse_port(text: str) -> tuple[str, int]:
    """Read ``LABEL=COUNT``, or ``LABEL`` for one port.

    Raises:
        ConfigError: The count is not a number.
    """
    label, _, count = text.partition("=")
    if count and not count.isdigit():
        raise ConfigError(f"invalid number of ports '{count}'", "Write --port LABEL=COUNT.")
    return label, int(count or 1)


def parse_mount(text: str) -> dict[str, str]:
    """Read ``NAME`` or ``NAME:/PATH`` as an item of ``extras.storages``.

    Raises:
        ConfigError: There is no name, or the path is not absolute.
    """
    name, colon, path = text.partition(":")
    if not name or (colon and not path.startswith("/")):
        raise ConfigError(f"invalid mount '{text}'", "Write --mount NAME or --mount NAME:/PATH.")
    return {"name": name, "mountPath": path} if path else {"name": name}


def parse_callback(text: str) -> dict[str, Any]:
    """Read ``EVENT=COMMAND``, ``failure:137,SIGSEGV=COMMAND`` or ``interval:10m=COMMAND``.

    Raises:
        ConfigError: The event is unknown, or the command is missing.
    """
    from openpai.core.protocol.runtime_parts import EVENTS

    when, equals, command = text.partition("=")
    event, _, detail = when.partition(":")
    known = event in EVENTS or "." in event  # events of plugins have a dot
    if not equals or not known or not command or bool(detail) < (event == "interval"):
        raise ConfigError(
            f"invalid callback '{text}'",
            f"Write --on EVENT=COMMAND; events are {', '.join(EVENTS)} (as interval:10m).",
        )
    if event == "interval":
        return {"on": event, "every": detail, "commands": [command]}
    words = detail.split(",") if detail else []
    conditions = {
        "exitCodes": [int(word) for word in words if word.isdigit()],
        "signals": [word for word in words if not word.isdigit()],
    }
    given = {key: values for key, values in conditions.items() if values}
    return {"on": event, **given, "commands": [command]}


def expand_name(name: str) -> str:
    """Return a job name with each ``$`` replaced by ten random letters."""
    from openpai.core.protocol.command_job import random_letters

    return "".join(random_letters(10) if letter == "$" else letter for letter in name)
