"""Bodies that must be objects of a given form, refused in the words of the real server's Joi."""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping, Tuple

from openpai.core.local.api.responses import HttpError

__all__ = [
    "ABSENT",
    "REQUIRED",
    "anything",
    "boolean",
    "check",
    "email",
    "fields",
    "integer",
    "mapping",
    "one_of",
    "text",
    "texts",
]

#: The default of a key that must be there.
REQUIRED = object()

#: The default of a key that may be left out.
ABSENT = object()

#: Takes (key, value), returns the value as it is to be used, or raises ValueError with Joi's words.
Rule = Callable[[str, Any], Any]


#: Key → (rule, default).
Rules = Mapping[str, Tuple[Rule, Any]]


def check(body: Any, rules: Rules) -> dict[str, Any]:
    """Return a body's values by key, with defaults.

    Args:
        body: The parsed body.
        rules: Key → (rule, default); :data:`REQUIRED` as the default means that there is none,
            :data:`ABSENT` that the key is left out.

    Raises:
        HttpError: It is no object, lacks a key, has another, or a value breaks its rule.
    """
    try:
        values: dict[str, Any] = fields(rules)("value", body)
    except ValueError as error:
        raise HttpError(400, "InvalidParametersError", str(error)) from None
    return values


def fields(rules: Rules) -> Rule:
    """Return the rule for an object; see :func:`check`."""

    def rule(key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError(f'"{key}" must be an object')
        found: dict[str, Any] = {}
        for name, (inner, default) in rules.items():
            if name in value:
                found[name] = _inside(name, inner, value[name])
            elif default is REQUIRED:
                raise ValueError(f'child "{name}" fails because ["{name}" is required]')
            elif default is not ABSENT:
                found[name] = default
        for name in value:
            if name not in rules:
                raise ValueError(f'"{name}" is not allowed')
        return found

    return rule


def _inside(key: str, rule: Rule, value: Any) -> Any:
    try:
        return rule(key, value)
    except ValueError as error:
        raise ValueError(f'child "{key}" fails because [{error}]') from None


def text(pattern: str = "", name: str = "required", shortest: int = 1) -> Rule:
    """Return the rule for a text; ``name`` is what Joi calls the pattern."""

    def rule(key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f'"{key}" must be a string')
        if shortest and not value:
            raise ValueError(f'"{key}" is not allowed to be empty')
        if len(value) < shortest:
            raise ValueError(f'"{key}" length must be at least {shortest} characters long')
        if pattern and not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f'"{key}" with value "{value}" fails to match the {name} pattern')
        return value

    return rule


def integer(least: int, most: int) -> Rule:
    """Return the rule for an integer; a text of digits is one, as in forms."""

    def rule(key: str, value: Any) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ValueError(f'"{key}" must be a number') from None
        if number < least:
            raise ValueError(f'"{key}" must be larger than or equal to {least}')
        if number > most:
            raise ValueError(f'"{key}" must be less than or equal to {most}')
        return number

    return rule


def one_of(*values: str) -> Rule:
    """Return the rule for one of a few words."""

    def rule(key: str, value: Any) -> str:
        if value not in values:
            raise ValueError(f'"{key}" must be one of [{", ".join(values)}]')
        return str(value)

    return rule


def boolean(key: str, value: Any) -> bool:
    """Rule: true or false, also as text, as forms have it."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError(f'"{key}" must be a boolean')


def mapping(key: str, value: Any) -> dict[str, Any]:
    """Rule: an object of any content."""
    if not isinstance(value, Mapping):
        raise ValueError(f'"{key}" must be an object')
    return dict(value)


def texts(key: str, value: Any) -> list[str]:
    """Rule: a list of texts."""
    if not isinstance(value, list):
        raise ValueError(f'"{key}" must be an array')
    for number, item in enumerate(value):
        if not isinstance(item, str):
            raise ValueError(
                f'"{key}" at position {number} fails because ["{number}" must be a string]'
            )
    return value


def email(key: str, value: Any) -> str:
    """Rule: an email address, or an empty text."""
    if not isinstance(value, str):
        raise ValueError(f'"{key}" must be a string')
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value):
        raise ValueError(f'"{key}" must be a valid email')
    return value


def anything(_: str, value: Any) -> Any:
    """Rule: whatever it is."""
    return value
