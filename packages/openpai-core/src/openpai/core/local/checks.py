"""Bodies that must be objects of a given form, refused in the words of the real server's Joi."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from openpai.core.local.wire import Refusal

__all__ = ["REQUIRED", "check", "integer", "one_of", "text"]

#: The default of a key that must be there.
REQUIRED = object()

#: Takes (key, value), returns the value as it is to be used, or raises ValueError with Joi's words.
Rule = Callable[[str, Any], Any]


def check(body: Any, rules: Mapping[str, tuple[Rule, Any]]) -> dict[str, Any]:
    """Return a body's values by key, with defaults.

    Args:
        body: The parsed body.
        rules: Key → (rule, default); :data:`REQUIRED` as the default means there is none.

    Raises:
        Refusal: It is no object, lacks a key, has another, or a value breaks its rule.
    """
    if not isinstance(body, Mapping):
        raise _refusal('"value" must be an object')
    values: dict[str, Any] = {}
    for key, (rule, default) in rules.items():
        if key not in body and default is not REQUIRED:
            values[key] = default
            continue
        try:
            if key not in body:
                raise ValueError(f'"{key}" is required')
            values[key] = rule(key, body[key])
        except ValueError as error:
            raise _refusal(f'child "{key}" fails because [{error}]') from None
    for key in body:
        if key not in rules:
            raise _refusal(f'"{key}" is not allowed')
    return values


def _refusal(message: str) -> Refusal:
    return Refusal(400, "InvalidParametersError", message)


def text(pattern: str = "", name: str = "required", shortest: int = 1) -> Callable[[str, Any], str]:
    """Return the rule for a text; ``name`` is what Joi calls the pattern."""
    import re

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


def integer(least: int, most: int) -> Callable[[str, Any], int]:
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


def one_of(*values: str) -> Callable[[str, Any], str]:
    """Return the rule for one of a few words."""

    def rule(key: str, value: Any) -> str:
        if value not in values:
            raise ValueError(f'"{key}" must be one of [{", ".join(values)}]')
        return str(value)

    return rule
