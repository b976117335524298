"""Typed answers that cost nothing until they are read.

A record wraps the server's JSON object and converts a field when it is asked for: a list of 50,000
jobs stays the list that ``json`` made. Unknown fields stay in ``.raw``; records cannot be changed.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Callable, Generic, Mapping, TypeVar, overload

__all__ = [
    "Field",
    "Record",
    "flag",
    "integer",
    "iso_moment",
    "items",
    "mapping",
    "moment",
    "optional_integer",
    "optional_number",
    "text",
]

T = TypeVar("T")

# Before Python 3.11 seconds may have three or six decimals, and nothing else.
_FRACTION = re.compile(r"\.[0-9]+")


class Field(Generic[T]):
    """A field of a record: the key in the JSON object and how its value is read."""

    def __init__(self, key: str, convert: Callable[[Any], T]) -> None:
        self.key, *self.deeper = key.split(".")
        self.convert = convert

    @overload
    def __get__(self, record: None, owner: type) -> Field[T]: ...
    @overload
    def __get__(self, record: Record, owner: type) -> T: ...
    def __get__(self, record: Record | None, owner: type) -> Field[T] | T:
        if record is None:
            return self
        raw: Any = record.raw  # what JSON makes, so a dict: asking for any mapping is slow
        value = raw.get(self.key) if isinstance(raw, dict) else None
        for key in self.deeper:
            value = value.get(key) if isinstance(value, dict) else None
        return self.convert(value)


class Record:
    """One JSON object of an answer.

    Attributes:
        raw: The object as the server sent it.
    """

    __slots__ = ("raw",)
    raw: Mapping[str, Any]

    def __init__(self, raw: Mapping[str, Any]) -> None:
        object.__setattr__(self, "raw", raw)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"{type(self).__name__} is what the server answered: it cannot be changed"
        )

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Record) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment] # a record compares by content, which may be a dict


def text(key: str) -> Field[str]:
    """A text; ``""`` where the server sent none."""
    return Field(key, lambda value: "" if value is None else str(value))


def integer(key: str) -> Field[int]:
    """A whole number; 0 where the server sent none."""
    return Field(key, lambda value: int(value or 0))


def optional_integer(key: str) -> Field[int | None]:
    """A whole number or ``None``."""
    return Field(key, lambda value: None if value is None else int(value))


def optional_number(key: str) -> Field[float | None]:
    """A number or ``None``."""
    return Field(key, lambda value: None if value is None else float(value))


def flag(key: str, default: bool = False) -> Field[bool]:
    """A truth value; ``default`` where the server sent none."""
    return Field(key, lambda value: default if value is None else bool(value))


def iso_moment(key: str) -> Field[datetime | None]:
    """A time in UTC, from an ISO 8601 text such as Kubernetes' ``2026-11-22T17:14:37.000Z``."""
    return Field(key, _iso_moment)


def _iso_moment(value: Any) -> datetime | None:
    if not value:
        return None
    text = _FRACTION.sub(lambda match: match[0][:7].ljust(7, "0"), str(value))
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def moment(key: str) -> Field[datetime | None]:
    """A time in UTC, from the server's milliseconds; ``None`` where it has not come."""
    return Field(key, _moment)


def _moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value / 1000, timezone.utc)


def items(key: str) -> Field[tuple[Any, ...]]:
    """A list, as a tuple."""
    return Field(key, lambda value: tuple(value or ()))


def mapping(key: str) -> Field[Mapping[str, Any]]:
    """A mapping; empty where the server sent none."""
    return Field(key, lambda value: value if isinstance(value, dict) else {})
