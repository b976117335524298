"""Check values against a JSON Schema made of a few keywords, with sentences for people.

It is here because a job container starts the runtime before every command: importing a general JSON
Schema library would take longer than everything else that the runtime does.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, Mapping

from openpai.core.errors import Problem
from openpai.core.json_pointer import json_pointer

__all__ = ["check_schema", "problem"]

Schema = Dict[str, Any]


def problem(pointer: str, message: str, hint: str) -> Problem:
    """Return a problem whose place in the file is not known yet."""
    return Problem(path=pointer, line=None, column=None, message=message, hint=hint)


def check_schema(value: Any, pointer: str, schema: Schema) -> Iterator[Problem]:
    """Yield what is wrong with a value, in the value's order, as the JSON Schema says.

    Args:
        value: What the YAML or JSON holds.
        pointer: The JSON pointer of ``value`` in the job config.
        schema: A schema made of the keywords of ``_KEYWORDS``.
    """
    message = _fault(value, schema)
    if message:
        yield problem(pointer, message, schema.get("description", ""))
        return
    if isinstance(value, dict) and "properties" in schema:
        yield from _check_object(value, pointer, schema)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from check_schema(item, f"{pointer}/{index}", schema["items"])


def _fault(value: Any, schema: Schema) -> str:
    """Return what the schema says against a value itself; an empty text if that is nothing."""
    faults = (find(value, schema[keyword]) for keyword, find in _KEYWORDS if keyword in schema)
    return next(filter(None, faults), "")


def _wrong_everywhere(value: Any, schemas: list[Schema]) -> str:
    faults = [_fault(value, schema) for schema in schemas]
    return "" if "" in faults else faults[0]


def _check_object(value: Mapping[Any, Any], pointer: str, schema: Schema) -> Iterator[Problem]:
    known = schema["properties"]
    for key in schema["required"]:
        if key not in value:
            hint = known[key].get("description", "")
            yield problem(pointer, f"The key '{key}' is missing.", hint)
    for key, item in value.items():
        below = pointer + json_pointer([key])
        if key in known:
            yield from check_schema(item, below, known[key])
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
    ("anyOf", _wrong_everywhere),
    ("pattern", _wrong_pattern),
    ("minimum", _number(lambda value, bound: value < bound, "at least")),
    ("maximum", _number(lambda value, bound: value > bound, "at most")),
    ("exclusiveMinimum", _number(lambda value, bound: value <= bound, "more than")),
    ("minProperties", lambda value, least: "" if len(value) >= least else "This map is empty."),
    ("minItems", lambda value, least: "" if len(value) >= least else "This list is empty."),
)
