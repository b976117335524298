"""Read templates as mustache.js 2.3.2 does with the tags ``<%`` and ``%>``, down to its errors."""

from __future__ import annotations

import re
from typing import Iterator, Tuple

from openpai.core.protocol import js

__all__ = ["TemplateError", "parse"]

Token = Tuple[str, str]

_SYMBOLS = "#^/>{&=!"
_PIECE = re.compile(r"\n|[^\n]+")


class TemplateError(js.JsError):
    """A template that mustache refuses, with mustache's own message."""


def parse(template: str) -> list[Token]:
    """Return the tokens on the top level of a template as (kind, content).

    Kinds are ``text``, ``name`` (a plain tag), and the symbol for other tags. What is inside
    sections is left out: the server never looks into them.

    Raises:
        TemplateError: A tag or a section is not closed.
    """
    if "<%" not in template:
        return [("text", template)]
    return list(_top_level(_Parser(template).tokens()))


def _top_level(tokens: list[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth -= token[0] == "/"
        if depth == 0:
            yield token
        depth += token[0] in "#^"


class _Parser:
    """One pass over a template.

    Attributes:
        spaces: Indices of the white space tokens on the current line.
    """

    def __init__(self, template: str) -> None:
        self.text = template
        self.at = 0
        self.open, self.close = "<%", "%>"
        self.found: list[Token] = []
        self.sections: list[str] = []
        self.spaces: list[int] = []
        self.has_tag = self.has_text = False

    def tokens(self) -> list[Token]:
        """Return all tokens, those of closed sections included."""
        while self.at < len(self.text):
            start = self.text.find(self.open, self.at)
            end = len(self.text) if start < 0 else start
            self._add_text(self.text[self.at : end])
            self.at = end
            if start >= 0:
                self.has_tag = True
                self._add_tag(start)
        if self.sections:
            raise TemplateError(f'Unclosed section "{self.sections[-1]}" at {self._where(self.at)}')
        return [token for token in self.found if token[1] or token[0] != "text"]

    def _where(self, at: int) -> int:
        return js.width(self.text[:at])

    def _add_text(self, text: str) -> None:
        for piece in _PIECE.findall(text):
            content = js.trim(piece)
            if content:
                self.has_text = True
            # White space before and after the content is dropped together with it or not at all,
            # because only a line without any content loses its white space.
            else:
                self.spaces.append(len(self.found))
            self.found.append(("text", piece))
            if piece == "\n":
                self._end_line()

    def _end_line(self) -> None:
        """Drop the white space of a line on which there is nothing but tags without a value."""
        if self.has_tag and not self.has_text:
            for index in self.spaces:
                self.found[index] = ("text", "")
        self.spaces = []
        self.has_tag = self.has_text = False

    def _add_tag(self, start: int) -> None:
        self.at = self._skip_space(start + len(self.open))
        symbol = self.text[self.at : self.at + 1]
        if symbol and symbol in _SYMBOLS:
            self.at = self._skip_space(self.at + 1)
        else:
            symbol = "name"
        content = self._content(symbol)
        if symbol == "=":
            self._set_delimiters(content)
        kind = "&" if symbol == "{" else symbol
        self.found.append((kind, content))
        if kind in "#^":
            self.sections.append(content)
        elif kind == "/":
            self._close_section(content, start)
        elif kind in ("name", "&"):
            self.has_text = True

    def _content(self, symbol: str) -> str:
        """Return what stands in a tag, and go behind its end."""
        if symbol == "=":
            content = self._until("=")
        elif symbol == "{":
            content = self._until("}" + self.close, step=1)
        else:
            return self._closed(self._until(self.close, step=0))
        self._until(self.close, step=0)
        return self._closed(content)

    def _until(self, mark: str, step: int | None = None) -> str:
        """Return the text before a mark, without white space at its end, and go behind the mark.

        Args:
            mark: What ends the text; without it the text goes to the end.
            step: How many characters of the mark to go over; all of them by default.
        """
        found = self.text.find(mark, self.at)
        end = len(self.text) if found < 0 else found
        content = self.text[self.at : end]
        if found >= 0:
            content = js.rtrim(content)
            end += len(mark) if step is None else step
        self.at = end
        return content

    def _closed(self, content: str) -> str:
        if not self.text.startswith(self.close, self.at):
            raise TemplateError(f"Unclosed tag at {self._where(self.at)}")
        self.at += len(self.close)
        return content

    def _skip_space(self, at: int) -> int:
        while at < len(self.text) and js.is_space(self.text[at]):
            at += 1
        return at

    def _close_section(self, content: str, start: int) -> None:
        if not self.sections:
            raise TemplateError(f'Unopened section "{content}" at {self._where(start)}')
        opened = self.sections.pop()
        if opened != content:
            raise TemplateError(f'Unclosed section "{opened}" at {self._where(start)}')

    def _set_delimiters(self, content: str) -> None:
        marks = js.split(content)[:2]
        if len(marks) != 2:
            raise TemplateError(f"Invalid tags: {content}")
        self.open, self.close = marks
