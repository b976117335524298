"""Types of YAML scalars as the server reads them: js-yaml 3.13's safe schema (lib/js-yaml/type)."""

from __future__ import annotations

import base64
import re
from typing import Any, Callable

from openpai.core.protocol.js import UNDEFINED, Timestamp, days_from_civil

__all__ = ["MERGE", "SCALAR_TAGS", "TAG", "resolve"]

TAG = "tag:yaml.org,2002:"
MERGE = TAG + "merge"

_WORDS = {
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(
    r"[-+]?(?:0|0b[01_]*[01]|0x[0-9a-fA-F_]*[0-9a-fA-F]|0[0-7_]*[0-7]"
    r"|[1-9](?:[0-9_]*[0-9])?|[1-9][0-9_]*(?::[0-5]?[0-9])+)"
)
_FLOAT = re.compile(
    r"(?:[-+]?(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"
    r"|\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))(?<!_)"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]*))?(?:[ \t]*(?:Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\r\n]*")
_MAYBE_SPECIAL = frozenset("-+.0123456789~nNtTfF<")
_EXACT = 2**53
_EXACT_DIGITS = 16
_LARGEST = 1.7976931348623157e308


def resolve(text: str) -> tuple[str, Any]:
    """Return (tag, value) of a plain scalar."""
    if text[0] not in _MAYBE_SPECIAL:
        return "?", text
    if text in _WORDS:
        return TAG, _WORDS[text]
    if text == "<<":
        return MERGE, text
    for convert in (_int, _float, _timestamp):
        value = convert(text)
        if value is not UNDEFINED:
            return TAG, value
    return "?", text


def _int(text: str) -> Any:
    if not _INT.fullmatch(text):
        return UNDEFINED
    sign = -1 if text[0] == "-" else 1
    digits = text.replace("_", "").lstrip("+-")
    if ":" in digits:
        return sign * _whole(_sexagesimal(digits))
    if digits[:2] in ("0b", "0x"):
        return sign * _as_double(int(digits[2:], 2 if digits[1] == "b" else 16))
    if digits[0] == "0":
        return sign * _as_double(int(digits, 8))
    return sign * (int(digits) if len(digits) < _EXACT_DIGITS else _whole(float(digits)))


def _as_double(value: int) -> Any:
    """Return an integer rounded to a double."""
    try:
        return value if value <= _EXACT else _whole(float(value))
    except OverflowError:
        return float("inf")


def _whole(value: float) -> Any:
    return int(value) if value <= _LARGEST else value


def _sexagesimal(digits: str) -> float:
    value = 0.0
    for part in digits.split(":"):
        value = value * 60 + _parse_float(part)
    return value


def _float(text: str) -> Any:
    if not _FLOAT.fullmatch(text):
        return UNDEFINED
    sign = -1 if text[0] == "-" else 1
    digits = text.replace("_", "").lstrip("+-").lower()
    if digits in (".inf", ".nan"):
        return sign * float(digits[1:])
    return sign * _sexagesimal(digits)


def _parse_float(digits: str) -> float:
    try:
        return float(digits)
    except ValueError:  # "." and ".e5", which the pattern lets through
        return float("nan")


def _timestamp(text: str) -> Any:
    date = _DATE.fullmatch(text)
    if date:
        return Timestamp(text, _day(*date.groups()) * 86_400_000)
    match = _TIME.fullmatch(text)
    if not match:
        return UNDEFINED
    year, month, day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    seconds = (_day(year, month, day) * 24 + int(hour)) * 3600 + int(minute) * 60 + int(second)
    if sign:
        offset = int(zone_hour) * 3600 + int(zone_minute or 0) * 60
        seconds += offset if sign == "-" else -offset
    return Timestamp(text, seconds * 1000 + int(((fraction or "") + "000")[:3]))


def _day(year: str, month: str, day: str) -> int:
    """Count a day as JavaScript does: years below 100 are of the 20th century."""
    number = int(year)
    return days_from_civil(number + 1900 if number < 100 else number, int(month), int(day))


def _binary(text: str) -> Any:
    if not _BASE64.fullmatch(text):
        return UNDEFINED
    bits = 6 * len(text.replace("\r", "").replace("\n", ""))
    if bits % 8:
        return UNDEFINED
    digits = re.sub(r"[\r\n=]", "", text)
    whole = digits[:-1] if len(digits) % 4 == 1 else digits
    return base64.b64decode(whole + "=" * (-len(whole) % 4))


def _null(text: str) -> Any:
    return _WORDS[text] if _WORDS.get(text, UNDEFINED) is None else UNDEFINED


def _bool(text: str) -> Any:
    return _WORDS[text] if isinstance(_WORDS.get(text), bool) else UNDEFINED


SCALAR_TAGS: dict[str, Callable[[str], Any]] = {
    TAG + "str": lambda text: text,
    TAG + "null": _null,
    TAG + "bool": _bool,
    TAG + "int": _int,
    TAG + "float": _float,
    TAG + "timestamp": _timestamp,
    TAG + "binary": _binary,
    MERGE: lambda text: text if text == "<<" else UNDEFINED,
}
"""Converters of scalars by explicit tag; they return ``UNDEFINED`` where the text does not fit."""
