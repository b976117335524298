"""Values of parameters, on their way from the submitter through PAI's servers into the job."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Mapping, Sequence

__all__ = ["encode", "encode_grid", "encode_parameters"]

# What would not reach the job's shell as it is: line ends, and what PAI's servers read as theirs.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|<%|\$[$(]|\{\{|^\s|\s$")


def encode_parameters(parameters: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return how each parameter is read in the job, and its value in the job's description.

    The server pastes a value as JavaScript writes it, 1.0 as ``1`` and a list as ``1,2``; so a
    float is read as one, and what has no plain form travels as JSON text.
    """
    kinds: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value in parameters.items():
        kinds[name], values[name] = encode(value)
    return kinds, values


def encode_grid(
    points: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the same for the sets of parameters of a sweep, whose jobs all read in one way."""
    names = dict.fromkeys(name for point in points for name in point)
    kinds = {name: _common_kind([p[name] for p in points if name in p]) for name in names}
    return kinds, [
        {name: _cast(kinds[name], value) for name, value in point.items()} for point in points
    ]


def _common_kind(values: Sequence[Any]) -> str:
    """Return how all of these values can be read: as they are, as floats, or as JSON."""
    kinds = {encode(value)[0] for value in values}
    if len(kinds) == 1:
        return kinds.pop()
    return "float" if all(map(_is_number, values)) else "json"


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_one and math.isfinite(value)


def _cast(kind: str, value: Any) -> Any:
    own, encoded_value = encode(value)
    if kind == "float":
        return float(value)
    return encoded_value if own == kind else _json_text(value)


def encode(value: Any) -> tuple[str, Any]:
    """Return (kind, value in the job's description) of one value made of JSON's types."""
    if isinstance(value, str) and value and not _UNSAFE.search(value):
        return "text", value
    if isinstance(value, float) and math.isfinite(value):
        return "float", float(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        return "json", value
    return "json", _json_text(value)


def _json_text(value: Any) -> str:
    """Return JSON in which nothing is read on the way."""
    text = json.dumps(value)
    for character, pattern in (("$", r"\$"), ("<", "<"), ("{", r"\{(?=\{)")):
        text = re.sub(pattern, f"\\\\u{ord(character):04x}", text)
    return text
