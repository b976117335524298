"""Nodes and documents: the upper end of the YAML reader.

The methods try the forms of a node in js-yaml's order, because its answers to odd texts follow
from it.
"""

from __future__ import annotations

from typing import Any

from openpai.core.protocol import js
from openpai.core.protocol.jsyaml.collections import (
    BLOCK_IN,
    BLOCK_OUT,
    FLOW_IN,
    Collections,
)
from openpai.core.protocol.jsyaml.errors import YamlError
from openpai.core.protocol.jsyaml.scalars import resolve

__all__ = ["MAX_DEPTH", "Reader"]

MAX_DEPTH = 100
"""How deep a text may nest; the server's own limit is the size of its stack."""


class Reader(Collections):
    """Reads one text.

    Attributes:
        depth: How deep the current node is nested.
        documents: The documents read so far.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.documents: list[Any] = []

    def read(self) -> Any:
        """Return the value of the only document; ``UNDEFINED`` for an empty text.

        Raises:
            YamlError: js-yaml refuses the text.
        """
        while self.text[self.at] == " ":
            self.line_indent += 1
            self.at += 1
        second = None
        while self.at < self.length - 1:
            if len(self.documents) == 1:
                second = self.line + 1
            self._read_document()
        if second is not None:
            error = YamlError("expected a single document in the stream, but found more")
            error.line, error.column = second, 1  # which js-yaml does not tell
            raise error
        return self.documents[0] if self.documents else js.UNDEFINED

    def _read_document(self) -> None:
        self.begin_document()
        self.skip()
        if self.line_indent == 0 and self.text.startswith("---", self.at):
            self.at += 3
            self.skip()
        elif self.has_directives:
            self.fail("directives end mark is expected")
        self.compose(self.line_indent - 1, BLOCK_OUT, seek=False, compact=True)
        self.skip()
        self.documents.append(self.result)
        if self.at_separator():
            if self.text[self.at] == ".":
                self.at += 3
                self.skip()
        elif self.at < self.length - 1:
            self.fail("end of the stream or a document separator is expected")

    def compose(self, parent_indent: int, context: int, seek: bool, compact: bool) -> bool:
        """Read one node.

        Args:
            parent_indent: The indentation of the node around it.
            context: Where it stands: in a block or flow collection, as a value or as a key.
            seek: Whether it may begin on a later line.
            compact: Whether a block collection may begin in the middle of a line.

        Returns:
            Whether there is a node; ``result`` is its value, or ``None``.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")
        self.forget()
        in_block = context >= BLOCK_IN
        new_line = seek and self.skip() > 0
        deeper = self._compare_indent(parent_indent) if new_line else 1
        collections = in_block
        if deeper == 1 and self.text[self.at] in "!&":
            new_line, collections, deeper = self._read_properties(parent_indent, in_block, new_line)
        collections = collections and (new_line or compact)
        found = False
        self.start = self.end = self.at
        if deeper == 1:
            found = self._read_content(parent_indent + in_block, context, collections)
        elif deeper == 0 and context == BLOCK_OUT and collections:
            start = self.at
            found = self.read_block_sequence(start - self.line_start)
            self.start = start
        if self.tag == "?":
            self.tag, self.result = resolve(self.result)
            if self.anchor is not None:
                self.anchors[self.anchor] = self.result
        elif self.tag is not None and self.tag != "!":
            self.apply_tag(self.tag)
        self.depth -= 1
        return found or self.tag is not None or self.anchor is not None

    def _compare_indent(self, parent_indent: int) -> int:
        return (self.line_indent > parent_indent) - (self.line_indent < parent_indent)

    def _read_properties(
        self, parent_indent: int, in_block: bool, new_line: bool
    ) -> tuple[bool, bool, int]:
        """Read tag and anchor: (on a new line now, block collections allowed, deeper)."""
        collections, deeper = in_block, 1
        while self.read_tag() or self.read_anchor():
            if self.skip():
                new_line, collections = True, in_block
                deeper = self._compare_indent(parent_indent)
            else:
                collections = False
        return new_line, collections, deeper

    def _read_content(self, indent: int, context: int, collections: bool) -> bool:
        """Read what a node holds: the first form that fits."""
        start = self.at
        if collections:
            block_indent = start - self.line_start
            if self.read_block_sequence(block_indent) or self.read_block_mapping(
                block_indent, indent
            ):
                self.start = start
                return True
        found = self.read_flow(indent)
        if not found:
            found = self._read_scalar(indent, context)
            if self.anchor is not None:
                self.anchors[self.anchor] = self.result
        self.start = start
        return found

    def _read_scalar(self, indent: int, context: int) -> bool:
        if (
            (context >= BLOCK_IN and self.read_block(indent))
            or self.read_single_quoted()
            or self.read_double_quoted()
        ):
            self.kind = "scalar"
            return True
        if self.read_alias():
            return True
        if self.read_plain(indent, context == FLOW_IN):
            self.kind = "scalar"
            if self.tag is None:
                self.tag = "?"
            return True
        return False
