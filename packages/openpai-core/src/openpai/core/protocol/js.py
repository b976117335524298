"""Values as the server, a Node program, sees them: numbers, dates and texts are JavaScript's.

Python stands in for them so: ``None`` null, :data:`UNDEFINED` undefined, bool, str, int and float
number, list array, dict object, :class:`Timestamp` Date, :class:`bytes` Buffer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from math import isinf, isnan
from typing import Any, Iterable

__all__ = [
    "UNDEFINED",
    "JsError",
    "Timestamp",
    "keys",
    "member",
    "number",
    "text",
    "trim",
    "width",
]

_SPACE = " \t\n\x0b\x0c\r\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_2000 = date(2000, 1, 1).toordinal()
_CYCLE_DAYS = 146_097  # of 400 years, after which the calendar repeats; `date` ends with year 9999
_LONGEST_TEXT = 1_000_000
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_ARRAY_INDEX = re.compile("0|[1-9][0-9]{0,9}")


class JsError(Exception):
    """An exception that the server's program throws, and answers with status 500."""


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED = _Undefined()


@dataclass(frozen=True)
class Timestamp:
    """A date that YAML recognised.

    Attributes:
        source: The text in the file.
        ms: Milliseconds since 1970-01-01 UTC.
    """

    source: str
    ms: int

    def __str__(self) -> str:
        """Return JavaScript's ``toString()``; the server's clock is set to UTC."""
        year, month, day, clock, _ = self._parts()
        weekday = _DAYS[self.ms // _DAY_MS % 7]
        return (
            f"{weekday} {_MONTHS[month - 1]} {day:02} {year:04} {clock} "
            "GMT+0000 (Coordinated Universal Time)"
        )

    def isoformat(self) -> str:
        """Return JavaScript's ``toISOString()``, which is its JSON."""
        year, month, day, clock, ms = self._parts()
        shown = f"{year:04}" if year < 10_000 else f"+{year:06}"
        return f"{shown}-{month:02}-{day:02}T{clock}.{ms:03}Z"

    def _parts(self) -> tuple[int, int, int, str, int]:
        """Return (year, month, day, time of day, milliseconds)."""
        days, rest = divmod(self.ms, _DAY_MS)
        seconds, ms = divmod(rest, 1000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return (*civil(days), clock, ms)


def civil(days: int) -> tuple[int, int, int]:
    """Return (year, month, day) of a day counted from 1970-01-01."""
    cycles, rest = divmod(days + _EPOCH - _DAY_2000, _CYCLE_DAYS)
    day = date.fromordinal(_DAY_2000 + rest)
    return day.year + 400 * cycles, day.month, day.day


def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a day, which may lie beyond the month, as months may."""
    years, month = divmod(month - 1, 12)
    cycles, rest = divmod(year + years - 2000, 400)
    first = date(2000 + rest, month + 1, 1).toordinal()
    return first - _EPOCH + cycles * _CYCLE_DAYS + day - 1


def number(value: float) -> str:
    """Return JavaScript's text of a number: ``1``, ``0.00001``, ``1e-7``, ``1e+21``, ``NaN``."""
    value = float(value)
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)  # digits before the decimal point
    return sign + _digits(digits.rstrip("0"), point)


def _digits(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def text(value: Any) -> str:
    """Return JavaScript's text of any value.

    Raises:
        JsError: The text would be larger than any job may be; aliases in YAML can make it endless.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind in (int, float):
        return number(value)
    if kind is list:
        return _joined(value)
    if value is None:
        return "null"
    if kind is bytes:
        return value.decode("utf-8", "replace")  # type: ignore[no-any-return]
    return "[object Object]" if kind is dict else str(value)


def _joined(values: list[Any]) -> str:
    """Join an array as JavaScript does, without recursion and within bounds."""
    parts: list[str] = []
    size = 0
    todo: list[Iterable[Any]] = [iter(values)]
    first = [True]
    while todo:
        item = next(todo[-1], todo)  # type: ignore[call-overload]
        if item is todo:
            todo.pop()
            first.pop()
            continue
        if not first[-1]:
            parts.append(",")
        first[-1] = False
        if type(item) is list:
            todo.append(iter(item))
            first.append(True)
        elif item is not None and item is not UNDEFINED:
            parts.append(text(item))
        size += 1 + (len(parts[-1]) if parts else 0)
        if size > _LONGEST_TEXT or len(todo) > 1000:
            raise JsError("Invalid string length")
    return "".join(parts)


def trim(value: str) -> str:
    """Strip what JavaScript calls white space."""
    return value.strip(_SPACE)


def width(value: str) -> int:
    """Return the length as JavaScript counts it: characters beyond U+FFFF are two."""
    return len(value) + len(_ASTRAL.findall(value))


def keys(mapping: dict[str, Any]) -> list[str]:
    """Return the keys in JavaScript's order: array indices first, by value, then the others."""
    indices = [key for key in mapping if _ARRAY_INDEX.fullmatch(key) and int(key) < 2**32 - 1]
    if not indices:
        return list(mapping)
    taken = set(indices)
    return sorted(indices, key=int) + [key for key in mapping if key not in taken]


def member(value: Any, name: str) -> Any:
    """Return ``value[name]``, or ``UNDEFINED``; methods and other built-in members are left out."""
    if isinstance(value, dict):
        return value.get(name, UNDEFINED)
    if isinstance(value, (list, str)):
        if name == "length":
            return width(value) if isinstance(value, str) else len(value)
        if _ARRAY_INDEX.fullmatch(name) and int(name) < len(value):
            return value[int(name)]
    return UNDEFINED
