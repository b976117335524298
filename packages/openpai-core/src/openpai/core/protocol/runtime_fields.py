"""Dataclasses whose fields carry their JSON Schema: publish it, read values by it, write them.

Every task of a job reads its section before the command starts, so reading needs no library.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from typing import Any, Callable, Dict, List, Mapping

from openpai.core.errors import Problem
from openpai.core.json_pointer import json_pointer
from openpai.core.units import parse_duration

__all__ = [
    "Part",
    "boolean",
    "choice",
    "duration",
    "integer",
    "items",
    "mapping",
    "part",
    "problem",
    "string",
]

Schema = Dict[str, Any]
Problems = List[Problem]


class Part:
    """A part of the section, a dataclass; its docstring is its description in the schema.

    Creating the methods of many dataclasses would delay the start of each task: they are here.
    """

    least_keys = 0
    """The fewest keys that its map has."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"

    @classmethod
    def schema(cls, description: str = "") -> Schema:
        """Return the JSON Schema (draft 7) of the part's map."""
        properties = {}
        for key, one in cls._fields().items():
            default = {} if one.default in (MISSING, None, ()) else {"default": one.default}
            properties[key] = {**one.metadata["schema"], **default}
        return {
            "type": "object",
            "description": description or cls.__doc__,
            "required": [key for key, one in cls._fields().items() if _is_required(one)],
            "additionalProperties": False,
            **({"minProperties": cls.least_keys} if cls.least_keys else {}),
            "properties": properties,
        }

    @classmethod
    def _fields(cls) -> dict[str, Any]:
        """Return the fields by key: ``taskRoles`` is the key of ``task_roles``."""
        every = fields(cls)  # type: ignore[arg-type]  # every part is a dataclass
        return {re.sub("_(.)", lambda match: match[1].upper(), one.name): one for one in every}

    @classmethod
    def read(cls, data: Mapping[Any, Any], path: tuple[Any, ...], problems: Problems) -> Any:
        """Return the part that a map describes, or ``None`` if something is wrong with the map.

        Args:
            data: The map.
            path: Keys and indices that lead to it in the job.
            problems: Gets what is wrong.
        """
        before, known, values = len(problems), cls._fields(), {}
        for key, one in known.items():
            if _is_required(one) and key not in data:
                hint = one.metadata["schema"]["description"]
                problems.append(problem(path, f"The key '{key}' is missing.", hint))
        for key, value in data.items():
            if key in known:
                one = known[key]
                values[one.name] = _read(value, one.metadata, (*path, key), problems)
            else:
                hint = f"Known keys: {', '.join(known)}."
                problems.append(problem((*path, key), f"Unknown key '{key}'.", hint))
        return cls(**values) if len(problems) == before else None

    def to_dict(self) -> dict[str, Any]:
        """Return the part's map, without empty values and defaults."""
        data: dict[str, Any] = {}
        for key, one in self._fields().items():
            value = getattr(self, one.name)
            if value != one.default and value not in (None, [], (), {}):
                data[key] = _plain(value)
        return data


def _is_required(one: Any) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def problem(path: tuple[Any, ...], message: str, hint: str) -> Problem:
    """Return a problem without a place in a file."""
    return Problem(json_pointer(path), None, None, message, hint)


def string(description: str, pattern: str = r"\S") -> Schema:
    """Return the metadata of a string."""
    return {"schema": {"type": "string", "pattern": pattern, "description": description}}


def choice(description: str, *values: str) -> Schema:
    """Return the metadata of one of some strings."""
    return {"schema": {"enum": list(values), "description": description}}


def integer(description: str, least: int, most: int) -> Schema:
    """Return the metadata of an integer."""
    limits = {"minimum": least, "maximum": most}
    return {"schema": {"type": "integer", **limits, "description": description}}


def boolean(description: str) -> Schema:
    """Return the metadata of true or false."""
    return {"schema": {"type": "boolean", "description": description}}


def mapping(description: str) -> Schema:
    """Return the metadata of a map of any keys."""
    return {"schema": {"type": "object", "description": description}}


def duration(description: str) -> Schema:
    """Return the metadata of a time in seconds, or with its unit."""
    schema = {
        "type": ["number", "string"],
        "exclusiveMinimum": 0,
        "pattern": r"^[0-9]+(\.[0-9]+)?(s|m|h)$",
        "description": f"{description} Seconds, or a string such as 90s, 5m, 2h.",
    }
    return {"schema": schema, "convert": parse_duration}


def part(cls: type[Part], description: str = "") -> Schema:
    """Return the metadata of another part."""
    return {"schema": cls.schema(description), "part": cls}


def items(description: str, item: Schema, least: int = 0) -> Schema:
    """Return the metadata of a list, given that of its items and the fewest that it has."""
    limit = {"minItems": least} if least else {}
    schema = {"type": "array", "description": description, "items": item["schema"], **limit}
    return {"schema": schema, "items": item}


def _read(value: Any, field: Mapping[str, Any], path: tuple[Any, ...], problems: Problems) -> Any:
    schema = field["schema"]
    if not _fits(value, schema):
        choices = f" One of: {', '.join(map(str, schema['enum']))}." if "enum" in schema else ""
        hint = schema["description"] + choices
        problems.append(problem(path, f"Invalid value {_shown(value)}.", hint))
        return None
    if "part" in field:
        return field["part"].read(value, path, problems)
    if "items" in field:
        numbered = enumerate(value)
        return tuple(_read(one, field["items"], (*path, i), problems) for i, one in numbered)
    return field["convert"](value) if "convert" in field else value


_IS_TYPE: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: type(value) in (int, float),
    "integer": lambda value: type(value) in (int, float) and value % 1 == 0,
}


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a value keeps to its schema; what is inside of it is not looked at."""
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    kinds = schema.get("type", ())
    if kinds and not any(_IS_TYPE[kind](value) for kind in _listed(kinds)):
        return False
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, str):
        return _matches(schema.get("pattern", ""), value)
    if isinstance(value, (list, dict)):
        return len(value) >= int(max(schema.get("minItems", 0), schema.get("minProperties", 0)))
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return False
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern of ECMA 262, whose ``$`` is the very end, is found in a string."""
    if pattern.endswith("$") and text.endswith("\n"):
        return False
    return re.search(pattern, text) is not None


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
