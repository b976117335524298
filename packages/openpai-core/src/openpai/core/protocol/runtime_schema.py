"""The JSON Schema of ``extras["openpai.runtime"]``, and a checker for the keywords that it uses.

The checker is here because a job container starts the runtime before every command: importing a
general JSON Schema library would take longer than everything else that the runtime does.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, Mapping

from openpai.core.protocol.problems import Problem

__all__ = ["EVENTS", "check", "problem", "section_schema"]

Schema = Dict[str, Any]

EVENTS: dict[str, str] = {
    "start": "before the command",
    "retry": "before the command, when the task or the job was started before",
    "interval": "again and again while the command runs",
    "timeout": "when the command has run for longer than the job's time limit",
    "stop": "when a signal asks the task to end",
    "success": "after the command returned 0",
    "failure": "after the command returned something else, or a signal ended it",
    "exit": "last, whatever happened",
}
"""The events that a callback may wait for, and when each happens."""

_DURATION: Schema = {
    "type": ["number", "string"],
    "exclusiveMinimum": 0,
    "pattern": r"^[0-9]+(\.[0-9]+)?(s|m|h)$",
}
_RELATIVE = r"^(?!/)(?!(.*/)?\.\.(/|$)).+$"
_ROLES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "description": "The name of a task role."},
    "description": "The task roles that this is for; all of them without this key.",
}


def _object(description: str, required: list[str], properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _text(description: str, pattern: str = r"\S") -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


def _duration(description: str) -> Schema:
    return {**_DURATION, "description": f"{description} Seconds, or a text such as 90s, 5m, 2h."}


def _choice(description: str, *values: str) -> Schema:
    return {"enum": list(values), "default": values[0], "description": description}


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


_CODE = _object(
    "The code of the job, fetched and unpacked before the command runs.",
    ["archive", "sha256"],
    {
        "archive": _text(
            "The archive (tar.gz): a path below the job's folder, an absolute path on the "
            "workspace's storage, or NAME:/PATH on another storage."
        ),
        "sha256": _text("SHA-256 of the archive, 64 hexadecimal digits.", r"^[0-9a-f]{64}$"),
        "directory": {
            **_text("Where to unpack it, relative to the working directory.", _RELATIVE),
            "default": ".",
        },
    },
)

_OUTPUT = _object(
    "Files to save into the job's output folder when the command has ended.",
    ["path"],
    {
        "path": _text(
            "A path or glob (*, ?, [], ** for any depth) relative to the working directory; a "
            "folder stands for all that is in it.",
            _RELATIVE,
        ),
        "when": _choice("Which end of the command saves them.", "always", "success", "failure"),
        "every": _duration("Save them also while the command runs, each time this much passed."),
        "taskRoles": _ROLES,
    },
)

_MOUNT = _object(
    "A storage that has to be reachable under a path before the command runs.",
    ["storage", "path"],
    {
        "storage": _text("The storage's name."),
        "path": _text("The absolute path under which the command looks for it.", r"^/"),
        "readOnly": {
            "type": "boolean",
            "default": False,
            "description": "Whether the command only reads there.",
        },
    },
)

_CALLBACK = _object(
    "What to do when something happens to the task: commands to run, or a function to call.",
    ["on"],
    {
        "on": {
            "enum": list(EVENTS),
            "description": "The event: "
            + "; ".join(f"{name}: {when}" for name, when in EVENTS.items())
            + ".",
        },
        "commands": {
            **_list(
                "Lines of one shell script (bash where there is one).",
                _text("A line of a shell script.", ""),
            ),
            "minItems": 1,
        },
        "call": _text(
            "Instead of commands: a function that an installed package offers under this name in "
            "the entry-point group openpai.runtime."
        ),
        "taskRoles": _ROLES,
        "exitCodes": {
            **_list(
                "Only for on: failure. The exit codes that it is for (128+n for signal n).",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 255,
                    "description": "An exit code from 1 to 255.",
                },
            ),
            "minItems": 1,
        },
        "every": _duration("Only for on: interval. The time from one call to the next."),
        "timeout": {**_duration("The callback is ended after this time."), "default": 60},
        "failurePolicy": _choice(
            "What its failure does: nothing, or fail the task if the command did not fail itself.",
            "ignore",
            "fail",
        ),
    },
)

_SECTION = _object(
    "What openpai-runtime does around the commands of the job.",
    [],
    {
        "version": {
            "type": "integer",
            "const": 1,
            "description": "The version of this section's form.",
        },
        "workspace": _text(
            "NAME:/PATH of the workspace; the job's folder is jobs/<job> in it.", r"^[^:/\s]+:/"
        ),
        "code": _CODE,
        "outputs": _list("What to save.", _OUTPUT),
        "requirements": _list(
            "Python packages that the command needs, as pip reads them.",
            _text("A requirement such as pandas==2.2.3.", r"^[^-\s]"),
        ),
        "mounts": _list("Storages that the command needs.", _MOUNT),
        "callbacks": _list("What to run when something happens.", _CALLBACK),
        "distributed": {
            "enum": ["pytorch", "tensorflow", "mpi"],
            "description": "The framework whose variables are set from PAI's: MASTER_ADDR and "
            "such (pytorch), TF_CONFIG (tensorflow), or a host file (mpi).",
        },
        "timeout": _duration("The command is ended (SIGTERM, later SIGKILL) after this time."),
        "gracePeriod": {
            **_duration("The time from SIGTERM to SIGKILL that the cluster gives a task."),
            "default": 30,
        },
    },
)


def section_schema() -> Schema:
    """Return a copy of the JSON Schema (draft 7) of ``extras["openpai.runtime"]``."""
    from copy import deepcopy

    return deepcopy(_SECTION)


def problem(pointer: str, message: str, hint: str) -> Problem:
    """Return a problem whose place in the file is not known yet."""
    return Problem(path=pointer, line=None, column=None, message=message, hint=hint)


def check(value: Any, pointer: str, schema: Schema = _SECTION) -> Iterator[Problem]:
    """Yield what is wrong with a value, in the value's order, as the JSON Schema says.

    Args:
        value: What the YAML or JSON holds.
        pointer: The JSON pointer of ``value`` in the job config.
        schema: A schema made of the keywords used in this module.
    """
    for keyword, find in _KEYWORDS:
        if keyword in schema:
            message = find(value, schema[keyword])
            if message:
                yield problem(pointer, message, schema.get("description", ""))
                return
    if isinstance(value, dict) and "properties" in schema:
        yield from _check_object(value, pointer, schema)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from check(item, f"{pointer}/{index}", schema["items"])


def _check_object(value: Mapping[Any, Any], pointer: str, schema: Schema) -> Iterator[Problem]:
    known = schema["properties"]
    for key in schema["required"]:
        if key not in value:
            hint = known[key].get("description", "")
            yield problem(pointer, f"The key '{key}' is missing.", hint)
    for key, item in value.items():
        below = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if key in known:
            yield from check(item, below, known[key])
        elif key is True and "on" in known:
            hint = "YAML 1.1 reads the word on as true: write it in quotes."
            yield problem(below, "The key true is not known.", hint)
        else:
            hint = f"Known keys: {', '.join(known)}."
            yield problem(below, f"The key '{key}' is not known.", hint)


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_TYPE_WORDS = {"object": "a map", "array": "a list", "string": "a text", "boolean": "true or false"}


def _wrong_type(value: Any, expected: Any) -> str:
    names = expected if isinstance(expected, list) else [expected]
    for name in names:
        if isinstance(value, _TYPES[name]) and (isinstance(value, bool) == (name == "boolean")):
            return ""
    words = " or ".join(_TYPE_WORDS.get(name, f"a {name}") for name in names)
    return f"This must be {words.replace('a integer', 'a whole number')}, not {_shown(value)}."


def _wrong_pattern(value: Any, pattern: str) -> str:
    if not isinstance(value, str) or re.search(pattern, value):
        return ""
    return f"{_shown(value)} is not of the right form."


def _wrong_choice(value: Any, choices: list[Any]) -> str:
    if value in choices:
        return ""
    return f"{_shown(value)} is not one of: {', '.join(choices)}."


def _number(bad: Callable[[Any, Any], bool], words: str) -> Callable[[Any, Any], str]:
    def find(value: Any, bound: Any) -> str:
        if isinstance(value, (int, float)) and bad(value, bound):
            return f"This must be {words} {bound}, not {value}."
        return ""

    return find


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return "nothing" if value is None else text if len(text) <= 80 else text[:77] + "..."


_KEYWORDS: tuple[tuple[str, Callable[[Any, Any], str]], ...] = (
    ("type", _wrong_type),
    ("const", lambda value, only: "" if value == only else f"This must be {only}, not {value}."),
    ("enum", _wrong_choice),
    ("pattern", _wrong_pattern),
    ("minimum", _number(lambda value, bound: value < bound, "at least")),
    ("maximum", _number(lambda value, bound: value > bound, "at most")),
    ("exclusiveMinimum", _number(lambda value, bound: value <= bound, "more than")),
    ("minItems", lambda value, least: "" if len(value) >= least else "This list is empty."),
)
