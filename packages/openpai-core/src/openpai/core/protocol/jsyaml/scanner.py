r"""Characters, lines and scalars: the lower end of the YAML reader.

Line breaks are ``\\n`` only: the text is normalised before. A NUL ends the text, as in js-yaml.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from openpai.core.protocol.jsyaml.errors import YamlError

__all__ = ["Scanner", "end_of"]

_SPACE = re.compile(r"[ \t]*(?:\n[ \t]*)*")
_SPACE_AND_COMMENTS = re.compile(r"[ \t]*(?:#[^\n\0]*)?(?:\n[ \t]*(?:#[^\n\0]*)?)*")
_INDENT = re.compile(" *")
_SEPARATOR = re.compile(r"(?:---|\.\.\.)(?=[ \t\n\0])")
_PLAIN_LINE = re.compile(r"(?:[^:#\n\0]|:(?![ \t\n])|(?<![ \t\n])#)*")
_PLAIN_FLOW_LINE = re.compile(r"(?:[^:#\n\0,\[\]{}]|:(?![ \t\n,\[\]{}])|(?<![ \t\n])#)*")
_SINGLE_QUOTED = re.compile(r"[^'\n\0]*")
_DOUBLE_QUOTED = re.compile(r'[^"\\\n\0]*')
_LINE = re.compile(r"[^\n\0]*")
_BLANKS = re.compile(r"[ \t]*")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")
_NOT_JSON = re.compile("[\x00-\x08\x0a-\x1f]")
_NOT_PLAIN_START = frozenset(" \t\n\r,[]{}#&*!|>'\"%@`")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX_LENGTHS = {"x": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")


class Scanner:
    r"""Where the reader is in the text.

    Attributes:
        text: The whole text, ``\\n`` and NUL at its end.
        at: Offset of the next character.
        line: Number of the current line, from 0.
        line_start: Offset of its first character.
        line_indent: How many blanks it begins with, as far as they have been read.
        result: The value read last.
        start: Offset of its first character.
        end: Offset behind its last character.
    """

    def __init__(self, text: str) -> None:
        self.text = text + "\0"
        self.length = len(text)
        self.at = self.line = self.line_start = self.line_indent = 0
        self.result: Any = None
        self.start = self.end = 0
        self.checks = _UNPRINTABLE.search(text) is not None

    def fail(self, reason: str) -> NoReturn:
        """Refuse the text at the current place."""
        raise YamlError(reason, self.text, self.at, self.line, self.line_start)

    def skip(self, comments: bool = True) -> int:
        """Go over white space, and comments; return the number of line breaks."""
        text, at = self.text, self.at
        if text[at] not in " \t\n#":
            return 0
        end = self.at = end_of(_SPACE_AND_COMMENTS if comments else _SPACE, text, at)
        breaks = text.count("\n", at, end)
        if breaks:
            self.line += breaks
            self.line_start = text.rfind("\n", at, end) + 1
            self.line_indent = end_of(_INDENT, text, self.line_start) - self.line_start
        return breaks

    def read_break(self) -> None:
        """Go over one line break."""
        if self.text[self.at] != "\n":
            self.fail("a line break is expected")
        self.at += 1
        self.line += 1
        self.line_start = self.at

    def at_separator(self) -> bool:
        """Whether ``---`` or ``...`` stands at the beginning of the current line."""
        return self.at == self.line_start and _SEPARATOR.match(self.text, self.at) is not None

    def _check(self, segment: str) -> None:
        if self.checks and _UNPRINTABLE.search(segment):
            self.fail("the stream contains non-printable characters")

    def _check_json(self, segment: str) -> None:
        if self.checks and _NOT_JSON.search(segment):
            self.fail("expected valid JSON character")

    def read_plain(self, indent: int, in_flow: bool) -> bool:
        """Read a scalar without quotes, over several lines if they are indented enough."""
        text, at = self.text, self.at
        char = text[at]
        if char in _NOT_PLAIN_START:
            return False
        if char in "?-" and text[at + 1] in (" \t\n,[]{}" if in_flow else " \t\n"):
            return False
        line = _PLAIN_FLOW_LINE if in_flow else _PLAIN_LINE
        result, segment, end, breaks = "", "", at, 0
        while not self.at_separator():
            stop = end_of(line, text, at)
            if stop == at:
                break
            self._check(segment)
            result += _folded(breaks)
            segment = text[at:stop].rstrip(" \t")
            result += segment
            end = at + len(segment)
            self.at = stop
            if text[stop] != "\n":
                break
            state = self.line, self.line_start, self.line_indent
            breaks = self.skip(comments=False)
            if self.line_indent < indent:
                self.at = end
                self.line, self.line_start, self.line_indent = state
                break
            at = self.at
        self._check(segment)
        if not result:
            return False
        self.result, self.end = result, end
        return True

    def _quoted(self, stops: re.Pattern[str], kind: str) -> tuple[str, str]:
        """Read on inside quotes; return the text, and the character at which it stops."""
        if self.at_separator():
            self.fail(f"unexpected end of the document within a {kind} quoted scalar")
        at = self.at
        self.at = end_of(stops, self.text, at)
        char = self.text[self.at]
        if char == "\0":
            self.fail(f"unexpected end of the stream within a {kind} quoted scalar")
        segment = self.text[at : self.at]
        self._check_json(segment)
        return segment, char

    def read_single_quoted(self) -> bool:
        """Read a scalar in single quotes."""
        text = self.text
        if text[self.at] != "'":
            return False
        self.at += 1
        result = ""
        while True:
            segment, char = self._quoted(_SINGLE_QUOTED, "single")
            result += segment
            if char == "\n":
                result += _folded(self.skip(comments=False))
                continue
            self.at += 1
            if text[self.at] != "'":
                break
            result += "'"
            self.at += 1
        self.result, self.end = result, self.at
        return True

    def read_double_quoted(self) -> bool:
        """Read a scalar in double quotes."""
        text = self.text
        if text[self.at] != '"':
            return False
        self.at += 1
        result = ""
        while True:
            segment, char = self._quoted(_DOUBLE_QUOTED, "double")
            result += segment
            if char == "\n":
                result += _folded(self.skip(comments=False))
                continue
            self.at += 1
            if char == '"':
                break
            result += self._escape()
        self.result, self.end = _paired(result), self.at
        return True

    def _escape(self) -> str:
        """Read what follows a backslash."""
        char = self.text[self.at]
        if char == "\n":
            self.skip(comments=False)
            return ""
        if char in _ESCAPES:
            self.at += 1
            return _ESCAPES[char]
        if char not in _HEX_LENGTHS:
            self.fail("unknown escape sequence")
        for _ in range(_HEX_LENGTHS[char]):
            self.at += 1
            if self.text[self.at] not in _HEX:
                self.fail("expected hexadecimal character")
        self.at += 1
        return _character(int(self.text[self.at - _HEX_LENGTHS[char] : self.at], 16))

    def read_block(self, indent: int) -> bool:
        """Read a literal (``|``) or folded (``>``) scalar."""
        if self.text[self.at] not in "|>":
            return False
        folds = self.text[self.at] == ">"
        chomping, width = self._block_header()
        text_indent = indent + width - 1 if width else indent
        found_indent, ended = width > 0, False
        parts: list[str] = []
        self.end, empty, more_indented = self.at, 0, False
        while self.text[self.at] != "\0":
            self.read_break()
            self._skip_indent(text_indent if found_indent else None)
            if not found_indent:
                text_indent = max(text_indent, self.line_indent)
            char = self.text[self.at]
            if char == "\n":
                empty += 1
                continue
            if self.line_indent < text_indent:
                ended = True
                break
            if folds and char not in " \t":
                parts.append(_folded_breaks(empty, bool(parts), more_indented))
                more_indented = False
            else:
                parts.append("\n" * (empty + bool(parts)))
                more_indented = True
            found_indent, empty = True, 0
            parts.append(self._rest_of_line())
        if ended and chomping != "-":
            parts.append("\n" * ((empty if chomping else 0) + bool(parts)))
        self.result = "".join(parts)
        return True

    def _skip_indent(self, limit: int | None) -> None:
        """Go over the blanks at the beginning of a line, at most ``limit``."""
        end = end_of(_INDENT, self.text, self.at)
        if limit is not None:
            end = min(end, self.at + max(limit, 0))
        self.line_indent = end - self.at
        self.at = end

    def _rest_of_line(self) -> str:
        start = self.at
        self.at = self.end = end_of(_LINE, self.text, start)
        segment = self.text[start : self.at]
        self._check(segment)
        return segment

    def _block_header(self) -> tuple[str, int]:
        """Read the indicators after ``|`` or ``>``: (chomping, indentation or 0)."""
        chomping, width = "", 0
        while True:
            self.at += 1
            char = self.text[self.at]
            if char in "+-":
                if chomping:
                    self.fail("repeat of a chomping mode identifier")
                chomping = char
            elif char in "0123456789":
                if char == "0":
                    self.fail(
                        "bad explicit indentation width of a block scalar; "
                        "it cannot be less than one"
                    )
                if width:
                    self.fail("repeat of an indentation width identifier")
                width = int(char)
            else:
                break
        if char in " \t":
            self.at = end_of(_BLANKS, self.text, self.at)
            if self.text[self.at] == "#":
                self.at = end_of(_LINE, self.text, self.at)
        return chomping, width


def end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a match ends; all patterns here match the empty text too."""
    match = pattern.match(text, at)
    assert match
    return match.end()


def _folded(breaks: int) -> str:
    """Return what line breaks in a flow scalar become."""
    return " " if breaks == 1 else "\n" * (breaks - 1)


def _folded_breaks(empty: int, has_content: bool, more_indented: bool) -> str:
    """Return what stands before a line of a folded scalar."""
    if more_indented:
        return "\n" * (empty + 1)
    if empty:
        return "\n" * empty
    return " " if has_content else ""


def _character(code: int) -> str:
    """Return a character, or the halves that JavaScript makes of a code beyond Unicode."""
    if code <= 0xFFFF:
        return chr(code)
    if code >= 1 << 31:  # JavaScript has 32 bits, with a sign, here
        return chr(code & 0xFFFF)
    code -= 0x10000
    return chr(((code >> 10) + 0xD800) & 0xFFFF) + chr((code & 0x3FF) + 0xDC00)


def _paired(text: str) -> str:
    """Join halves of characters that were written as two escapes."""
    if not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
