"""Turn violations of the schema into sentences for the person who wrote the job."""

from __future__ import annotations

import difflib
from itertools import islice
from typing import Any, Iterable, Iterator, NamedTuple, Sequence

from openpai.core.errors import ConfigError
from openpai.core.protocol.ajv import Path, SchemaError
from openpai.core.protocol.js import UNDEFINED, Timestamp

__all__ = ["MOST_FINDINGS", "Finding", "did_you_mean", "explain", "kind_of", "shown"]

MOST_FINDINGS = 500
"""More of them help nobody."""

_BRANCHES = {"script": 0, "output": 0, "data": 1, "dockerimage": 2}


class Finding(NamedTuple):
    """Something wrong, not yet placed in a file.

    Attributes:
        path: Keys and indices that lead to it.
        message: One sentence.
        hint: What to do.
        at_key: Whether the key is meant rather than its value.
    """

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest known word, else an empty text."""
    by_fold = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(by_fold), n=1, cutoff=0.6)
    return f"Did you mean '{by_fold[near[0]]}'?" if near else ""


def kind_of(value: Any) -> str:
    """Return what a value is, in words, with the value where it is short."""
    if value is UNDEFINED:
        return "nothing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value:g}" if abs(value) > 2**53 else f"the number {value}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, Timestamp):
        return f"the date {value.source}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def shown(text: str) -> str:
    """Return a text in quotes, shortened."""
    line = text.split("\n", maxsplit=1)[0]
    cut = line[:40] + "…" if len(line) > 40 or line != text else line
    return f"'{cut}'"


def explain(document: Any, errors: Sequence[SchemaError]) -> list[Finding]:
    """Return one finding for each thing that is wrong, in the order of the document."""
    findings: list[Finding] = []
    for error in islice(_relevant(document, errors), MOST_FINDINGS):
        findings.extend(_explained(document, error))
    misspelled = {(f.path[:-1], f.hint) for f in findings if f.hint.startswith("Did you mean")}
    # A missing key that stands there misspelled is one mistake, not two.
    return [f for f in dict.fromkeys(findings) if (f.path, _nearest(f)) not in misspelled]


def _nearest(finding: Finding) -> str:
    """Return the hint that a misspelling of a missing key has; an empty text for other findings."""
    name, missing, _ = finding.message.partition(" is missing in ")
    return f"Did you mean {name}?" if missing else ""


def value_at(document: Any, path: Path) -> Any:
    """Return the value at a path, or ``UNDEFINED``."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return UNDEFINED
    return document


def _relevant(document: Any, errors: Sequence[SchemaError]) -> Iterator[SchemaError]:
    """Leave out what the server says of prerequisites of other types."""
    for error in errors:
        branch = error.schema_path.partition("/oneOf")[2]
        if not branch:
            if error.keyword != "oneOf":
                yield error
        elif error.keyword != "$merge":
            item = value_at(document, error.path[:2])
            kind = item.get("type") if isinstance(item, dict) else None
            wanted = _BRANCHES.get(kind, 0) if isinstance(kind, str) else 0
            if branch.startswith(f"/{wanted}/"):
                yield error


def _explained(document: Any, error: SchemaError) -> Iterator[Finding]:
    value = value_at(document, error.path)
    if error.keyword == "additionalProperties":
        yield _unknown_key(error)
    elif error.keyword == "required":
        name = error.params["missingProperty"]
        message = f"'{name}' is missing in {_place(error.path)}."
        yield Finding(error.path, message, _EXAMPLES.get(name, ""), at_key=True)
    elif error.keyword == "type":
        wanted = _KINDS.get(error.params["type"], error.params["type"])
        found = kind_of(value) if error.path[-1:] != ("password",) else "something else"
        message = f"{_name(error.path)} must be {wanted}, not {found}."
        yield Finding(error.path, message, _type_hint(error, value))
    elif error.keyword == "enum":
        yield _not_allowed(error, value)
    elif error.keyword == "pattern":
        fault = "has characters that a name must not have" if value else "is empty"
        message = f"The name {shown(value)} {fault}."
        yield Finding(error.path, message, "Use letters, digits, '_' and '-' only.")
    elif error.keyword == "maxLength":
        message = f"{_name(error.path)} has {len(value)} characters; 255 are allowed."
        yield Finding(error.path, message, "Shorten it.")
    elif error.keyword == "minimum":
        message = f"{_name(error.path)} must be {error.params['limit']} or more, not {value}."
        yield Finding(error.path, message)
    elif error.keyword in ("minItems", "minProperties"):
        message = f"{_name(error.path)} must not be empty."
        yield Finding(error.path, message, _EMPTY.get(str(error.path[-1]), "Remove the key."))
    elif error.keyword == "false schema":
        message = "'additionalProperties' is no option of a container."
        yield Finding(error.path, message, "Remove it.", at_key=True)


_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "object": "a mapping of keys to values",
    "array": "a list",
    "string,number": "a text or a number",
    "integer,null": "a whole number",
}
_EXAMPLES = {
    "protocolVersion": "Write: protocolVersion: 2",
    "name": "Give it a name of letters, digits, '_' and '-'.",
    "type": "Write job; for a prerequisite dockerimage, data, script or output.",
    "taskRoles": "Describe at least one task role.",
    "dockerImage": "Name a prerequisite of type dockerimage.",
    "resourcePerInstance": "Write: resourcePerInstance: {cpu: 1, memoryMB: 4096, gpu: 0}",
    "commands": "Write: commands: [python train.py]",
    "cpu": "Say how many CPU cores each task gets.",
    "memoryMB": "Say how many MiB of memory each task gets.",
    "gpu": "Say how many GPUs each task gets; 0 for none.",
    "uri": "Name the image.",
}
_EMPTY = {
    "commands": "Write at least one command.",
    "taskRoles": "Describe at least one task role.",
    "prerequisites": "Describe the docker image that the task roles use.",
}


def _name(path: Path) -> str:
    if not path:
        return "The job"
    if isinstance(path[-1], int):
        return f"Item {path[-1] + 1} of '{path[-2]}'" if len(path) > 1 else f"Item {path[-1] + 1}"
    return f"'{path[-1]}'"


def _place(path: Path) -> str:
    """Return where something is, in the words of the protocol."""
    if not path:
        return "the job"
    if path[0] == "taskRoles" and len(path) == 2:
        return f"task role '{path[1]}'"
    if path[0] == "taskRoles" and len(path) > 2:
        return f"'{path[-1]}' of task role '{path[1]}'"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of '{path[-2]}'"
    return f"'{path[-1]}'"


def _unknown_key(error: SchemaError) -> Finding:
    key = error.params["additionalProperty"]
    path = (*error.path, key)
    if error.path and error.path[-1] in ("taskRoles", "ports"):
        what = "task role" if error.path[-1] == "taskRoles" else "port label"
        message = f"{shown(key)} cannot be the name of a {what}."
        return Finding(
            path, message, "Use letters and digits, and begin with a letter.", at_key=True
        )
    known = allowed_keys(error.path)
    hint = did_you_mean(key, known) or f"Known are: {', '.join(known)}."
    if not error.path and "virtualCluster" in hint:
        hint = ""
    message = f"{shown(key)} is not a key of {_place(error.path)}."
    return Finding(path, message, hint, at_key=True)


def allowed_keys(path: Path) -> list[str]:
    """Return the keys that the schema has for the mapping at a path."""
    from openpai.core.protocol.schema import shared_schema

    schema = shared_schema()
    for step in path:
        if isinstance(step, int):
            schema = schema["items"]
        elif step in schema.get("properties", {}):
            schema = schema["properties"][step]
        else:
            schema = next(iter(schema.get("patternProperties", {"": {}}).values()))
        if "oneOf" in schema:
            schema = schema["oneOf"][2]  # only images refuse unknown keys
    return [name for name in schema.get("properties", ()) if name != "additionalProperties"]


def _not_allowed(error: SchemaError, value: Any) -> Finding:
    allowed = [one for one in error.params["allowedValues"] if one != "2"]
    if len(error.path) == 3 and error.path[0] == "prerequisites" and error.path[2] == "type":
        allowed = list(_BRANCHES)
    words = " or ".join(map(str, allowed)) if len(allowed) < 3 else ", ".join(map(str, allowed))
    message = f"{_name(error.path)} must be {words}, not {kind_of(value)}."
    hint = did_you_mean(value, map(str, allowed)) if isinstance(value, str) else ""
    return Finding(error.path, message, hint)


def _type_hint(error: SchemaError, value: Any) -> str:
    wanted = error.params["type"]
    if value == "******" and error.path == ("secrets",):
        return "The server hid the secrets: fill them in again."
    if "integer" in wanted and isinstance(value, str):
        return _number_hint(str(error.path[-1]), value)
    if "string" in wanted and isinstance(value, dict):
        return "Put the whole text into quotes: a ': ' in it makes it a mapping."
    if "string" in wanted and value is not None and not isinstance(value, list):
        return "Put it into quotes."
    if wanted == "array" and isinstance(value, str):
        return f"Write a list: - {value}" if "\n" not in value else "Write a list: begin with '- '."
    return "Give it a value, or remove the key." if value is None else ""


def _number_hint(key: str, text: str) -> str:
    from openpai.core.units import mebibytes

    if text.strip().lstrip("-").isdigit():
        return "Remove the quotes."
    if key.endswith("MB"):
        try:
            return f"Write {mebibytes(text)}: the unit is MiB."
        except ConfigError:
            pass
    return "Write a whole number."
