"""Turn violations of the schema into sentences for the person who wrote the job."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from openpai.core.errors import ConfigError
from openpai.core.protocol.js import UNDEFINED, Timestamp
from openpai.core.protocol.schema import KeyPath, Schema, SchemaError, schema_errors
from openpai.core.suggestions import did_you_mean

__all__ = ["MOST_FINDINGS", "Finding", "kind_of", "schema_findings", "shown"]

MOST_FINDINGS = 500
"""The most findings that are returned of one job."""


class Finding(NamedTuple):
    """Something wrong, not yet placed in a file.

    Attributes:
        path: Keys and indices that lead to it.
        message: One sentence.
        hint: What to do.
        at_key: Whether the key is meant rather than its value.
    """

    path: KeyPath
    message: str
    hint: str = ""
    at_key: bool = False


def kind_of(value: Any) -> str:
    """Return what a value is, in words, with the value where it is short."""
    if value is UNDEFINED:
        return "nothing"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value:g}" if abs(value) > 2**53 else f"the number {value}"
    if isinstance(value, str):
        return f"the string {shown(value)}"
    if isinstance(value, Timestamp):
        return f"the date {value.source}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def shown(text: str) -> str:
    """Return a string in quotes, shortened."""
    line = text.split("\n", maxsplit=1)[0]
    cut = line[:40] + "…" if len(line) > 40 or line != text else line
    return f"'{cut}'"


def schema_findings(value: Any, schema: Schema, path: KeyPath = ()) -> list[Finding]:
    """Return one finding for each violation of a schema.

    Args:
        value: The value.
        schema: Its schema.
        path: Keys and indices that lead to it.
    """
    findings: list[Finding] = []
    for error in islice(schema_errors(value, schema), MOST_FINDINGS):
        placed = error._replace(path=(*path, *error.path))
        finding = _explained(placed)
        if path and not finding.hint:  # in a job, what a key is for does not say what to write
            finding = finding._replace(hint=_description(error))
        findings.append(finding)
    misspelled = {(f.path[:-1], f.hint) for f in findings if f.hint.startswith("Did you mean")}
    # A missing key that is there misspelled is one mistake, not two.
    return [f for f in dict.fromkeys(findings) if (f.path, _nearest(f)) not in misspelled]


def _nearest(finding: Finding) -> str:
    """Return the hint that a misspelling of a missing key has; an empty text for other findings."""
    name, missing, _ = finding.message.partition(" is missing in ")
    return f"Did you mean {name}?" if missing else ""


def _description(error: SchemaError) -> str:
    """Return the schema's description of the value, or of the key that is missing."""
    part = error.schema["properties"][error.limit] if error.keyword == "required" else error.schema
    return str(part.get("description", "")) if isinstance(part, dict) else ""


def _explained(error: SchemaError) -> Finding:
    explain = _SENTENCES.get(error.keyword)
    if explain:
        return explain(error)
    name, limit = _name(error.path), error.limit
    return Finding(
        error.path, f"{name} must be {_LIMITS[error.keyword]}{limit}, not {error.value}."
    )


def _missing_key(error: SchemaError) -> Finding:
    message = f"'{error.limit}' is missing in {_place(error.path)}."
    return Finding(error.path, message, _EXAMPLES.get(error.limit, ""), at_key=True)


def _wrong_type(error: SchemaError) -> Finding:
    kinds = [error.limit] if isinstance(error.limit, str) else error.limit
    wanted = " or ".join(_KINDS[kind] for kind in kinds if kind != "null")
    found = "something else" if error.path[-1:] == ("password",) else kind_of(error.value)
    message = f"{_name(error.path)} must be {wanted}, not {found}."
    return Finding(error.path, message, _type_hint(error))


def _wrong_form(error: SchemaError) -> Finding:
    if error.limit != _NAME_PATTERN:
        return Finding(error.path, f"{_name(error.path)} cannot be {kind_of(error.value)}.")
    fault = "has characters that a name must not have" if error.value else "is empty"
    message = f"The name {shown(error.value)} {fault}."
    return Finding(error.path, message, "Use letters, digits, '_' and '-' only.")


def _too_long(error: SchemaError) -> Finding:
    length, most = len(error.value), error.limit
    message = f"{_name(error.path)} has {length} characters; {most} are allowed."
    return Finding(error.path, message, "Shorten it.")


def _too_short(error: SchemaError) -> Finding:
    message = f"{_name(error.path)} must have {error.limit} characters or more."
    return Finding(error.path, message)


def _empty(error: SchemaError) -> Finding:
    message = f"{_name(error.path)} must not be empty."
    return Finding(error.path, message, _EMPTY.get(str(error.path[-1]), "Remove the key."))


def _no_option(error: SchemaError) -> Finding:
    key = "additionalProperties"
    path = error.path if error.path[-1] == key else (*error.path, key)  # jsonschema leaves it out
    return Finding(path, f"'{key}' is not an option of a container.", "Remove it.", at_key=True)


_NAME_PATTERN = "^[a-zA-Z0-9_-]+$"
_TYPES_OF_PREREQUISITES = ("script", "output", "data", "dockerimage")
_LIMITS = {
    "const": "",
    "minimum": "at least ",
    "maximum": "at most ",
    "exclusiveMinimum": "more than ",
}
_KINDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping of keys to values",
    "array": "a list",
}
_EXAMPLES = {
    "protocolVersion": "Write: protocolVersion: 2",
    "name": "Give it a name of letters, digits, '_' and '-'.",
    "type": "Write job; for a prerequisite dockerimage, data, script or output.",
    "taskRoles": "Describe at least one task role.",
    "dockerImage": "Name a prerequisite of type dockerimage.",
    "resourcePerInstance": "Write: resourcePerInstance: {cpu: 1, memoryMB: 4096, gpu: 0}",
    "commands": "Write: commands: [python train.py]",
    "cpu": "The CPU cores of each task.",
    "memoryMB": "The memory of each task in MiB.",
    "gpu": "The GPUs of each task; 0 for none.",
    "uri": "Name the image.",
}
_EMPTY = {
    "commands": "Write at least one command.",
    "taskRoles": "Describe at least one task role.",
    "prerequisites": "Describe the docker image that the task roles use.",
}


def _name(path: KeyPath) -> str:
    if not path:
        return "The job"
    if isinstance(path[-1], int):
        return f"Item {path[-1] + 1} of '{path[-2]}'" if len(path) > 1 else f"Item {path[-1] + 1}"
    return f"'{path[-1]}'"


def _place(path: KeyPath) -> str:
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
    key = error.limit
    path = (*error.path, key)
    if error.path and error.path[-1] in ("taskRoles", "ports"):
        what = "task role" if error.path[-1] == "taskRoles" else "port label"
        message = f"{shown(key)} cannot be the name of a {what}."
        hint = "Use letters and digits, and begin with a letter."
        return Finding(path, message, hint, at_key=True)
    message = f"{shown(str(key))} is not a key of {_place(error.path)}."
    known = [name for name in error.schema["properties"] if name != "additionalProperties"]
    if key is True and "on" in known:
        return Finding(path, message, "YAML 1.1 reads on as true: write it in quotes.", at_key=True)
    hint = did_you_mean(str(key), known) or f"Known are: {', '.join(known)}."
    if not error.path and "virtualCluster" in hint:
        hint = ""
    return Finding(path, message, hint, at_key=True)


def _not_allowed(error: SchemaError) -> Finding:
    allowed = [str(one) for one in error.limit if one != "2"]
    if len(error.path) == 3 and error.path[0] == "prerequisites" and error.path[2] == "type":
        allowed = list(_TYPES_OF_PREREQUISITES)
    words = " or ".join(allowed) if len(allowed) < 3 else f"one of {', '.join(allowed)}"
    message = f"{_name(error.path)} must be {words}, not {kind_of(error.value)}."
    hint = did_you_mean(error.value, allowed) if isinstance(error.value, str) else ""
    return Finding(error.path, message, hint)


def _type_hint(error: SchemaError) -> str:
    wanted, value = error.limit, error.value
    if value == "******" and error.path == ("secrets",):
        return "The server hid the secrets: fill them in again."
    if "integer" in wanted and isinstance(value, str):
        return _number_hint(str(error.path[-1]), value)
    if "string" in wanted and isinstance(value, dict):
        return "Quote the whole string: a ': ' in it makes it a mapping."
    if "string" in wanted and value is not None and not isinstance(value, list):
        return "Quote it."
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
    return "Write an integer."


_SENTENCES = {
    "": _no_option,
    "additionalProperties": _unknown_key,
    "enum": _not_allowed,
    "maxLength": _too_long,
    "minItems": _empty,
    "minLength": _too_short,
    "minProperties": _empty,
    "pattern": _wrong_form,
    "required": _missing_key,
    "type": _wrong_type,
}
