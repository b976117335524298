"""Checks of request bodies against JSON Schemas, where the real server uses Joi."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Iterable, Mapping

from openpai.core.local.api.responses import HttpError
from openpai.core.protocol import Schema, schema_findings

__all__ = [
    "ANYTHING",
    "BOOLEAN",
    "EMAIL",
    "OBJECT",
    "STRINGS",
    "check",
    "check_changes",
    "object_schema",
    "string",
]

ANYTHING: Schema = {}
BOOLEAN: Schema = {"type": "boolean"}
EMAIL: Schema = {"type": "string", "pattern": r"^(?:[^@\s]+@[^@\s]+\.[^@\s.]+)?$"}
OBJECT: Schema = {"type": "object"}
STRINGS: Schema = {"type": "array", "items": {"type": "string"}}


def string(pattern: str = "", shortest: int = 1) -> Schema:
    """Return the schema of a string.

    Args:
        pattern: What the whole string matches; anything if empty.
        shortest: The least number of characters.
    """
    form = {"pattern": f"^(?:{pattern})$"} if pattern else {}
    return {"type": "string", "minLength": shortest, **form}


def object_schema(
    properties: Mapping[str, Schema], required: Iterable[str] | None = None
) -> Schema:
    """Return the schema of an object that has no other keys.

    Args:
        properties: The schema of each key; ``default`` in it is the value of a missing key.
        required: The keys that must be there; without it all that have no ``default``.
    """
    if required is None:
        required = [key for key, schema in properties.items() if "default" not in schema]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def check(body: Any, schema: Schema) -> dict[str, Any]:
    """Return a body with the defaults of its schema, and numbers and booleans of forms converted.

    Args:
        body: The parsed body.
        schema: What :func:`object_schema` returned.

    Raises:
        HttpError: The body breaks the schema.
    """
    converted = _converted(body, schema)
    findings = schema_findings(converted, schema, ("body",))
    if findings:
        message = " ".join(finding.message for finding in findings)
        raise HttpError(400, "InvalidParametersError", message)
    values: dict[str, Any] = converted
    return values


def check_changes(body: Any, name: str, properties: Mapping[str, Schema]) -> dict[str, Any]:
    """Return the data of a body ``{data, patch}``; without ``patch`` every key is required.

    Args:
        body: The parsed body.
        name: The key that is always required.
        properties: The schema of each key of the data.

    Raises:
        HttpError: The body breaks the schema.
    """
    patch = isinstance(body, dict) and body.get("patch") in (True, "true")
    data = object_schema(properties, [name] if patch else None)
    checked = check(body, object_schema({"data": data, "patch": {**BOOLEAN, "default": False}}))
    values: dict[str, Any] = checked["data"]
    return values


def _converted(value: Any, schema: Schema) -> Any:
    """Convert strings as Joi does, and add the defaults of missing keys."""
    properties = schema.get("properties")
    if properties and isinstance(value, Mapping):
        defaults = {k: p["default"] for k, p in properties.items() if "default" in p}
        given = {key: _converted(item, properties.get(key, {})) for key, item in value.items()}
        return {**deepcopy(defaults), **given}
    if isinstance(value, str) and schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if isinstance(value, str) and schema.get("type") == "integer" and value.isdecimal():
        return int(value)
    return value
