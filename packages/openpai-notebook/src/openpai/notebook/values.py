"""Values of parameters, on their way from the submitter through PAI's servers into the job."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Mapping

__all__ = ["encode", "encoded"]

# What would not reach the job's shell as it is: line ends, and what PAI's servers read as theirs.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|<%|\$[$(]|\{\{|^\s|\s$")


def encoded(parameters: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return how each parameter is read in the job, and its value in the job's description.

    The server pastes a value as JavaScript writes it, 1.0 as ``1`` and a list as ``1,2``; so a
    float is read as one, and what has no plain form travels as JSON text.
    """
    kinds: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value in parameters.items():
        kinds[name], values[name] = encode(value)
    return kinds, values


def encode(value: Any) -> tuple[str, Any]:
    """Return (kind, value in the job's description) of one value made of JSON's types."""
    if isinstance(value, str) and value and not _UNSAFE.search(value):
        return "text", value
    if isinstance(value, float) and math.isfinite(value):
        return "float", float(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        return "json", value
    text = json.dumps(value)
    for character, pattern in (("$", r"\$"), ("<", "<"), ("{", r"\{(?=\{)")):
        text = re.sub(pattern, f"\\\\u{ord(character):04x}", text)
    return "json", text
