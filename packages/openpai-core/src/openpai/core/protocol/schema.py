"""The JSON Schema of a job, and the check of values against JSON Schemas with jsonschema.

The schema of a job states what the server's own does (rest-server/src/config/v2/protocol.js), with
descriptions for people and editors. It is checked as the server's AJV 6 does: ``$`` matches at the
very end, a date is an object, an infinite number is an integer.
"""

from __future__ import annotations

import json
import re
import sys
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Tuple, Union

from openpai.core.errors import OpenPaiError
from openpai.core.protocol.js import Timestamp

__all__ = [
    "KeyPath",
    "Schema",
    "SchemaError",
    "can_validate",
    "editor_schema",
    "job_schema",
    "schema_errors",
    "shared_schema",
]

KeyPath = Tuple[Union[str, int], ...]
Schema = Dict[str, Any]


class SchemaError(NamedTuple):
    """One violation of a schema.

    Attributes:
        path: Keys and indices that lead to the value.
        keyword: The keyword of the schema; empty where the schema is ``False``.
        limit: The keyword's value; of ``required`` and ``additionalProperties`` the key.
        value: The value that violates it.
        schema: The part of the schema with the keyword.
    """

    path: KeyPath
    keyword: str
    limit: Any
    value: Any
    schema: Any


def job_schema() -> Schema:
    """Return a copy of the JSON Schema (draft 7) of a job."""
    return deepcopy(shared_schema())


def editor_schema() -> Schema:
    """Return the schema for editors: a job's, and that of the ``openpai.runtime`` section in it."""
    from openpai.core.protocol.runtime_section import SECTION_KEY, section_schema

    schema = job_schema()
    schema["properties"]["extras"]["properties"][SECTION_KEY] = section_schema()
    return schema


@lru_cache(maxsize=1)
def shared_schema() -> Schema:
    """Return the schema of a job itself, which must not be changed."""
    text = Path(__file__).with_name("job.schema.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def can_validate() -> bool:
    """Whether jsonschema is installed, which the extra ``openpai-core[validation]`` brings."""
    from importlib.util import find_spec

    return find_spec("jsonschema") is not None


def schema_errors(value: Any, schema: Schema) -> list[SchemaError]:
    """Return every violation of a schema (draft 7).

    Raises:
        OpenPaiError: jsonschema is not installed.
    """
    return [
        found for error in _validator_class()(schema).iter_errors(value) for found in _flat(error)
    ]


def _flat(error: Any) -> Iterator[SchemaError]:
    """Yield a violation; of ``oneOf`` and ``anyOf`` those of the branch that is meant."""
    if error.context:
        branch = _meant(error.validator_value, error.instance)
        for inner in error.context:
            if inner.schema_path[0] == branch:
                yield from _flat(inner)
        return
    keyed = error.validator in ("required", "additionalProperties")
    yield SchemaError(
        tuple(error.absolute_path),
        error.validator or "",
        error.message if keyed else error.validator_value,
        error.instance,
        error.schema,
    )


def _meant(branches: list[Schema], value: Any) -> int:
    """Return the index of the branch for the ``type`` that a value has; the first by default."""
    kind = value.get("type") if isinstance(value, dict) else None
    for index, branch in enumerate(branches):
        if kind in branch.get("properties", {}).get("type", {}).get("enum", ()):
            return index
    return 0


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    """Return jsonschema's class for draft 7, with AJV's reading of a few keywords and types."""
    jsonschema = _import_jsonschema()
    draft7 = jsonschema.Draft7Validator
    rules = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "required": _required,
        "properties": _of_members(draft7.VALIDATORS["properties"]),
        "minProperties": _of_members(draft7.VALIDATORS["minProperties"]),
    }
    types = draft7.TYPE_CHECKER.redefine_many({"object": _is_object, "integer": _is_integer})
    return jsonschema.validators.extend(draft7, rules, type_checker=types)


def _import_jsonschema() -> Any:
    """Import jsonschema without packages of its format checker, which takes seconds to load them.

    Raises:
        OpenPaiError: It is not installed.
    """
    slow = [name for name in ("rfc3987_syntax", "isoduration") if name not in sys.modules]
    hidden = [] if "jsonschema" in sys.modules else slow
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not importable
    try:
        import jsonschema
    except ImportError:
        raise OpenPaiError(
            "Validation needs the package jsonschema.",
            "Run: pip install 'openpai-core[validation]'",
        ) from None
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
    return jsonschema


def _is_object(_: Any, value: Any) -> bool:
    return isinstance(value, (dict, Timestamp, bytes))


def _is_integer(_: Any, value: Any) -> bool:
    return type(value) is int or (type(value) is float and (value % 1 == 0 or abs(value) == _INF))


_INF = float("inf")


def _members(value: Any) -> dict[str, Any]:
    """Return the members of whatever JavaScript calls an object."""
    if isinstance(value, dict):
        return value
    return {str(index): byte for index, byte in enumerate(value)} if type(value) is bytes else {}


def _of_members(rule: Any) -> Any:
    def check(validator: Any, limit: Any, instance: Any, schema: Schema) -> Iterator[Any]:
        if validator.is_type(instance, "object"):
            yield from rule(validator, limit, _members(instance), schema) or ()

    return check


@lru_cache(maxsize=None)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of ECMA 262, whose ``$`` does not match before a line break."""
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def _pattern(validator: Any, pattern: str, instance: Any, _: Schema) -> Iterator[Any]:
    if validator.is_type(instance, "string") and not _compiled(pattern).search(instance):
        yield _error(instance)


def _pattern_properties(
    validator: Any, patterns: Schema, instance: Any, _: Schema
) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, part in patterns.items():
            for key, value in _members(instance).items():
                if _compiled(pattern).search(str(key)):
                    yield from validator.descend(value, part, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Schema
) -> Iterator[Any]:
    if allowed is not False or not validator.is_type(instance, "object"):
        return
    patterns = [_compiled(pattern) for pattern in schema.get("patternProperties", ())]
    for key in _members(instance):
        matches = any(pattern.search(str(key)) for pattern in patterns)
        if not matches and key not in schema.get("properties", ()):
            yield _error(key)


def _required(validator: Any, keys: list[str], instance: Any, _: Schema) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for key in keys:
            if key not in _members(instance):
                yield _error(key)


def _error(message: Any) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)
