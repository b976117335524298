"""Write YAML that js-yaml 3.13 and PyYAML read as the same value, in block style.

A text is left plain only where both readers, and those of other YAML 1.1 tools, take it for a text:
``1e3`` is a number to js-yaml and ``yes`` is true to PyYAML, so both are quoted.
"""

from __future__ import annotations

import base64
import re
from math import isfinite
from typing import Any, Iterator, Mapping

from openpai.core.errors import Problem, ProtocolError
from openpai.core.protocol.js import Timestamp

__all__ = ["inline", "write"]

_STEP = "  "
_DEEPEST = 150
_LARGEST = 20_000_000
_LONGEST_KEY = 1000  # PyYAML takes keys of up to 1024 characters on one line
_NUMBER_LIKE = re.compile(r"[-+]?\.?[0-9][0-9a-fA-FxXoObB_+.:eEtTzZ -]*")
_WORDS = frozenset(
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"]
) | {".inf", "-.inf", "+.inf", ".nan"}
_PLAIN = re.compile(
    r"(?![-?:] )(?![-?:]$)[^\s,\[\]{}#&*!|>'\"%@`:](?:[^:#\s]|:(?=\S)| +(?=[^\s#])|(?<=\S)#)*"
)
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
_NAMED = {"\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f",
          "\r": "\\r", "\x1b": "\\e", '"': '\\"', "\\": "\\\\"}  # fmt: skip
_ESCAPED = re.compile('[\x00-\x1f"\\\\\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]')


def write(document: Any) -> str:
    """Return the YAML text of a value.

    Raises:
        ProtocolError: The value holds something that has no form in YAML, or never ends.
    """
    if isinstance(document, Mapping):
        document = _secrets_masked_by_layout(document)
    parts = []
    size = 0
    for part in _Writer().node(document, "", "", 0):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise _unwritable("The job is far too large: the server takes 100 KiB.")
    return "".join(parts).lstrip(" ")


def inline(value: Any) -> str:
    """Return a text, number, truth value, date, ``None`` or empty collection on one line.

    Raises:
        ProtocolError: It has no form in YAML.
    """
    if isinstance(value, str):
        return _inline_text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Timestamp):
        return value.source
    if isinstance(value, bytes):
        return f"!!binary {base64.b64encode(value).decode('ascii')}"
    if not value and isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    raise _unwritable(
        f"A value of type {type(value).__name__} cannot stand in a job.",
        "Use texts, numbers, true, false, None, lists and dicts.",
    )


def _unwritable(message: str, hint: str = "") -> ProtocolError:
    return ProtocolError(message, [Problem("", None, None, message, hint)], hint)


def _float(value: float) -> str:
    if not isfinite(value):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    text = repr(float(value))
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def _inline_text(text: str) -> str:
    if _is_plain(text):
        return text
    if _UNPRINTABLE.search(text) or "\n" in text or "\t" in text:
        return '"' + _ESCAPED.sub(_escape, text) + '"'
    return "'" + text.replace("'", "''") + "'"


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and text.lower() not in _WORDS
        and not _NUMBER_LIKE.fullmatch(text)
        and not text.startswith(("---", "..."))
        and not _UNPRINTABLE.search(text)
    )


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # half a character: no encoding of text has a form for it
        return "\ufffd"
    return _NAMED.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


class _Writer:
    """Writes nodes; each method yields pieces of text that end with a line break."""

    def node(self, value: Any, lead: str, indent: str, depth: int) -> Iterator[str]:
        """Write a value.

        Args:
            value: The value.
            lead: What stands before it on its line; a block collection goes below a key, and
                behind a dash.
            indent: The indentation of what is inside it.
            depth: How deep it is nested.
        """
        if depth > _DEEPEST:
            raise _unwritable(f"The job is nested deeper than {_DEEPEST} levels.")
        if isinstance(value, Mapping) and value:
            yield from self._below(lead, self._mapping(value, indent, depth), indent)
        elif isinstance(value, (list, tuple)) and value:
            yield from self._below(lead, self._sequence(value, indent, depth), indent)
        elif isinstance(value, str) and depth and _is_block(value):
            yield f"{lead}{' ' if lead else ''}{_block(value, indent)}"
        else:
            yield f"{lead}{' ' if lead else ''}{inline(value)}\n"

    def _below(self, lead: str, lines: Iterator[str], indent: str) -> Iterator[str]:
        if lead.endswith("-"):
            yield f"{lead} {next(lines)[len(indent) :]}"
        elif lead:
            yield f"{lead}\n"
        yield from lines

    def _mapping(self, value: Mapping[Any, Any], indent: str, depth: int) -> Iterator[str]:
        for key, item in value.items():
            name = inline(key if isinstance(key, str) else _key(key))
            lead = f"{indent}{name}:"
            if len(name) > _LONGEST_KEY:
                yield f"{indent}? {name}\n"
                lead = f"{indent}:"
            yield from self.node(item, lead, indent + _STEP, depth + 1)

    def _sequence(self, value: Any, indent: str, depth: int) -> Iterator[str]:
        for item in value:
            yield from self.node(item, f"{indent}-", indent + _STEP, depth + 1)


def _key(key: Any) -> str:
    """Return a key as the text that it is to the server."""
    if isinstance(key, (bool, int, float)) or key is None:
        return inline(key)
    raise _unwritable(f"A key of type {type(key).__name__} cannot stand in a job.")


def _is_block(text: str) -> bool:
    """Whether a text is written as a literal block: it has lines, and all of it can be shown."""
    return "\n" in text and text.strip("\n \t") != "" and not _UNPRINTABLE.search(text)


def _block(text: str, indent: str) -> str:
    body = text.rstrip("\n")
    breaks = len(text) - len(body)
    width = str(len(_STEP)) if body[0] in " \t\n" else ""
    lines = [indent + line if line else "" for line in body.split("\n")]
    header = f"|{width}{('-', '', '+')[min(breaks, 2)]}"
    return "\n".join([header, *lines]) + "\n" * max(breaks, 1)


def _secrets_masked_by_layout(document: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Move ``secrets`` to the end if the key behind it would not end the server's mask."""
    names = list(document)
    if "secrets" not in names or names[-1] == "secrets":
        return document
    following = names[names.index("secrets") + 1]
    if re.match(
        "[A-Za-z0-9_]", inline(following if isinstance(following, str) else _key(following))
    ):
        return document
    return {**{k: v for k, v in document.items() if k != "secrets"}, "secrets": document["secrets"]}
