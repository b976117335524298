"""Errors of job files that are not YAML: those of libyaml and PyYAML, as sentences of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from openpai.core.errors import Problem, ProtocolError

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

__all__ = ["Place", "YamlError", "place_of", "translate"]

_TAB = re.compile(r" *\t")


class Place(NamedTuple):
    """Line and column in a text, from 1."""

    line: int
    column: int


class YamlError(ProtocolError):
    """A text that is not YAML to the server.

    Attributes:
        reason: What is wrong, without the place.
        line: Line, from 1; ``None`` where the error has no place.
        column: Column, from 1; ``None`` where the error has no place.
    """

    def __init__(self, reason: str, place: Place | None = None, hint: str = "") -> None:
        self.reason = reason
        self.line = place.line if place else None
        self.column = place.column if place else None
        where = f" (line {self.line}, column {self.column})" if place else ""
        problem = Problem("", self.line, self.column, f"Not readable as YAML: {reason}.", hint)
        super().__init__(f"{reason}{where}", [problem], hint)


def place_of(text: str, offset: int) -> Place:
    """Return the place of a character."""
    start = text.rfind("\n", 0, offset) + 1
    return Place(text.count("\n", 0, offset) + 1, offset - start + 1)


_ALIKE = "Indent entries alike, and quote texts that begin with @ ` % & * or !."
_CLOSE = "Close the bracket, and put commas between entries."
_TAG = "Remove the tag, or quote a text that begins with '!'."
_DIGITS = "Write two, four or eight hexadecimal digits behind \\x, \\u or \\U."
#: By words of either parser's message: what is wrong, and what to do.
_REASONS = (
    ("mapping values are not allowed", "a ': ' inside a value", "Quote a text that holds ': '."),
    (
        "expected ':'",
        "a ':' is missing behind a key",
        "Put ': ' between key and value, and indent values alike.",
    ),
    (
        "unknown escape",
        "an escape that YAML does not have",
        "Write backslashes in single quotes, or twice.",
    ),
    ("expected escape sequence", "an escape that lacks hexadecimal digits", _DIGITS),
    ("hexadecimal", "an escape that lacks hexadecimal digits", _DIGITS),
    ("Unicode character escape", "an escape of half a character", "Write the character itself."),
    ("quoted scalar", "a quoted text that is not closed", "Close the quotes."),
    ("flow ", "a bracket that is not closed, or a comma that is missing", _CLOSE),
    ("cannot start any token", "a text that begins with a character that YAML reserves", _ALIKE),
    ("block collection", "an entry with another indentation than its neighbours", _ALIKE),
    ("block sequence", "an entry with another indentation than its neighbours", _ALIKE),
    ("block mapping", "a key with another indentation than its neighbours", _ALIKE),
    (
        "alphabetic or numeric",
        "a name behind '&' or '*' with other characters than letters, digits, '-' and '_'",
        "Rename the anchor, or quote a text that begins with '&' or '*'.",
    ),
    ("tag", "a tag that is not one", _TAG),
    ("incompatible", "a version of YAML other than 1", "Remove the line '%YAML'."),
    ("indentation indicator", "an indentation of 0 behind '|' or '>'", "Remove the 0."),
)


def translate(error: MarkedYAMLError, text: str) -> YamlError:
    """Return our error for a parser's: libyaml's words differ from PyYAML's, lines do not."""
    mark = error.problem_mark or error.context_mark
    words = f"{error.context or ''} {error.problem or ''}"
    if "end of stream" in words or "<stream end>" in words or "STREAM-END" in words:
        mark = error.context_mark or mark  # where it begins says more than the end of the file
    if mark is None:
        return YamlError(error.problem or "a syntax error", None, _ALIKE)
    line = [*text.split("\n"), ""][mark.line]
    indentation = _TAB.match(line)
    if indentation:
        place = Place(mark.line + 1, indentation.end())
        return YamlError("a tab is used for indentation", place, "Indent with spaces.")
    place = Place(mark.line + 1, mark.column + 1)
    if line[mark.column : mark.column + 1] == "\t":
        return YamlError("a tab where YAML takes spaces alone", place, "Write spaces instead.")
    for part, reason, hint in _REASONS:
        if part in words:
            return YamlError(reason, place, hint)
    return YamlError(error.problem or "a syntax error", place, _ALIKE)
