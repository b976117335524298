"""The error of the YAML reader, in the form that js-yaml gives its own."""

from __future__ import annotations

import re

from openpai.core.errors import Problem, ProtocolError
from openpai.core.protocol import js

__all__ = ["YamlError"]

_LINE_END = re.compile("[\x00\r\n\x85\u2028\u2029]")
_WIDEST = 36  # UTF-16 units shown on either side of the place; a longer side is cut to 32
_CUT = 32


class YamlError(ProtocolError):
    """A text that js-yaml refuses.

    Attributes:
        reason: What is wrong, without the place.
        line: Line, from 1; ``None`` where the error has no place.
        column: Column, from 1; ``None`` where the error has no place.
    """

    def __init__(
        self, reason: str, text: str = "", at: int = 0, line: int | None = None, line_start: int = 0
    ) -> None:
        self.reason = reason
        self.line: int | None = None
        self.column: int | None = None
        if line is None:
            super().__init__(reason, [Problem("", None, None, reason)])
            return
        self.line = line + 1
        self.column = max(at - line_start, 0) + 1
        # js-yaml's own column; for a key that is there twice it counts from a later line's start.
        column = 1 + js.width(text[line_start:at]) - js.width(text[at:line_start])
        place = f"{reason} at line {self.line}, column {column}"
        problem = Problem("", self.line, self.column, reason)
        super().__init__(f"{place}:\n{_snippet(text, at)}", [problem])


def _snippet(text: str, at: int) -> str:
    """Return the line with a caret below the place."""
    start = max((match.end() for match in _LINE_END.finditer(text, 0, at)), default=0)
    end = _LINE_END.search(text, at)
    before, head = text[start:at].encode("utf-16-le", "surrogatepass"), ""
    after, tail = (
        text[at : end.start() if end else len(text)].encode("utf-16-le", "surrogatepass"),
        "",
    )
    if len(before) > 2 * _WIDEST:
        before, head = before[-2 * _CUT :], " ... "
    if len(after) > 2 * _WIDEST:
        after, tail = after[: 2 * _CUT], " ... "
    line = (before + after).decode("utf-16-le", "surrogatepass")
    return f"    {head}{line}{tail}\n{' ' * (4 + len(head) + len(before) // 2)}^"
