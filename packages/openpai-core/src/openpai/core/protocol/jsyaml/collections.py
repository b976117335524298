"""Collections: flow and block sequences and mappings of the YAML reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from openpai.core.protocol.jsyaml.pairs import PairError, Places, key_text, merge
from openpai.core.protocol.jsyaml.scalars import MERGE
from openpai.core.protocol.jsyaml.tags import Tags

__all__ = ["BLOCK_IN", "BLOCK_OUT", "FLOW_IN", "FLOW_OUT", "Collections"]

FLOW_IN, FLOW_OUT, BLOCK_IN, BLOCK_OUT = 1, 2, 3, 4
"""Where a node stands: inside a flow collection, as a key, in a block sequence, as a value."""

_WHITE = " \t\n"


class _Mapping:
    """A mapping while it is read.

    Attributes:
        value: The pairs.
        key: The current key.
        key_tag: Its tag.
        key_at: Where it stands.
        overridable: The keys that came from a merge.
        places: Where the pairs stand.
        found: Whether it is a mapping at all.
        explicit: Whether the current key was written behind a question mark.
    """

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self.key: Any = None
        self.key_tag: str | None = None
        self.key_at = 0
        self.overridable: set[str] = set()
        self.places: dict[Any, tuple[int, int, int]] = {}
        self.found = self.explicit = False


class Collections(Tags, ABC):
    """Reads collections; what is in them is read by :meth:`compose`.

    Attributes:
        places: Where the values stand.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.places: Places = {}

    @abstractmethod
    def compose(self, parent_indent: int, context: int, seek: bool, compact: bool) -> bool:
        """Read one node; see :class:`~openpai.core.protocol.jsyaml.reader.Reader`."""

    def read_flow(self, indent: int) -> bool:
        """Read ``[…]`` or ``{…}``."""
        if self.text[self.at] not in "[{":
            return False
        closing = "]" if self.text[self.at] == "[" else "}"
        tag, anchor = self.tag, self.anchor
        mapping = _Mapping()
        items: list[Any] = []
        places: dict[Any, tuple[int, int, int]] = mapping.places if closing == "}" else {}
        result: Any = mapping.value if closing == "}" else items
        if anchor is not None:
            self.anchors[anchor] = result
        self.at += 1
        comma = True
        while self.text[self.at] != "\0":
            self.skip()
            if self.text[self.at] == closing:
                break
            if not comma:
                self.fail("missed comma between flow collection entries")
            self._read_flow_entry(indent, mapping if closing == "}" else None, items, places)
            self.skip()
            comma = self.text[self.at] == ","
            self.at += comma
        else:
            self.fail("unexpected end of the stream within a flow collection")
        self.at += 1
        self.tag, self.anchor = tag, anchor
        self.kind = "mapping" if closing == "}" else "sequence"
        self.result, self.end = result, self.at
        self.places[id(result)] = (result, places)
        return True

    def _read_flow_entry(
        self,
        indent: int,
        mapping: _Mapping | None,
        items: list[Any],
        places: dict[Any, tuple[int, int, int]],
    ) -> None:
        explicit = self.text[self.at] == "?" and self.text[self.at + 1] in _WHITE
        if explicit:
            self.at += 1
            self.skip()
        pair = mapping or _Mapping()
        line, pair.key_at = self.line, self.at
        self.compose(indent, FLOW_IN, seek=False, compact=True)
        pair.key_tag, pair.key = self.tag, self.result
        place = (pair.key_at, self.start, self.end)
        self.skip()
        value = None
        is_pair = explicit
        if self.text[self.at] == ":" and (explicit or self.line == line):
            is_pair = True
            self.at += 1
            self.skip()
            self.compose(indent, FLOW_IN, seek=False, compact=True)
            value, place = self.result, (pair.key_at, self.start, self.end)
        if mapping is None:
            places[len(items)] = place
            if not is_pair:
                items.append(pair.key)
                return
            items.append(pair.value)
        self._store(pair, value, place)

    def read_block_sequence(self, indent: int) -> bool:
        """Read ``- …`` lines."""
        tag, anchor = self.tag, self.anchor
        result: list[Any] = []
        if anchor is not None:
            self.anchors[anchor] = result
        if self.text[self.at] != "-" or self.text[self.at + 1] not in _WHITE:
            return False
        places: dict[Any, tuple[int, int, int]] = {}
        while self.text[self.at] == "-" and self.text[self.at + 1] in _WHITE:
            dash = self.at
            self.at += 1
            if self.skip() and self.line_indent <= indent:
                places[len(result)] = (dash, dash + 1, dash + 1)
                result.append(None)
                continue
            line = self.line
            self.compose(indent, BLOCK_IN, seek=False, compact=True)
            places[len(result)] = (dash, self.start, self.end)
            result.append(self.result)
            end = self.end
            self.skip()
            self.end = end
            if (self.line == line or self.line_indent > indent) and self.text[self.at] != "\0":
                self.fail("bad indentation of a sequence entry")
            if self.line_indent < indent:
                break
        self.tag, self.anchor, self.kind, self.result = tag, anchor, "sequence", result
        self.places[id(result)] = (result, places)
        return True

    def read_block_mapping(self, indent: int, flow_indent: int) -> bool:
        """Read ``key: …`` lines; or else the one scalar or flow collection that stands there."""
        tag, anchor = self.tag, self.anchor
        mapping = _Mapping()
        if anchor is not None:
            self.anchors[anchor] = mapping.value
        while self.text[self.at] != "\0":
            began = self.line, self.at
            mark = self._read_key(mapping, flow_indent)
            if mark == "":
                break
            if mark == "no colon":
                self.tag, self.anchor = tag, anchor
                return True
            if self.line == began[0] or self.line_indent > indent:
                self._read_block_value(mapping, indent, mark != "key", began)
            if self.line_indent > indent and self.text[self.at] != "\0":
                self.fail("bad indentation of a mapping entry")
            if self.line_indent < indent:
                break
        if mapping.explicit:
            self._store(mapping, None, (mapping.key_at, self.at, self.at))
        if mapping.found:
            self.tag, self.anchor, self.kind, self.result = tag, anchor, "mapping", mapping.value
            self.places[id(mapping.value)] = (mapping.value, mapping.places)
        return mapping.found

    def _read_key(self, mapping: _Mapping, flow_indent: int) -> str:
        """Read up to where a value, or an explicit key, begins.

        Returns:
            ``?`` or ``:`` for a mark of an explicit pair, ``key`` for a key and its colon, ``no
            colon`` for a node that is no key, an empty text for nothing.
        """
        line, start = self.line, self.at
        mark = self.text[start]
        if mark in "?:" and self.text[start + 1] in _WHITE:
            self._explicit_mark(mapping, mark)
            return mark
        if not self.compose(flow_indent, FLOW_OUT, seek=False, compact=True):
            return ""
        if not self._ends_key(line, mapping.found):
            return "no colon"
        if mapping.explicit:
            self._store(mapping, None, (mapping.key_at, start, start))
        mapping.key_at, mapping.key_tag, mapping.key = start, self.tag, self.result
        mapping.found, mapping.explicit = True, False
        return "key"

    def _explicit_mark(self, mapping: _Mapping, mark: str) -> None:
        """Go over ``?`` or ``:``."""
        at = self.at
        if mark == "?":
            if mapping.explicit:
                self._store(mapping, None, (mapping.key_at, at, at))
            mapping.key_at = at
        elif not mapping.explicit:
            self.fail(
                "incomplete explicit mapping pair; a key node is missed; "
                "or followed by a non-tabulated empty line"
            )
        mapping.found, mapping.explicit = True, mark == "?"
        self.at += 1

    def _ends_key(self, line: int, found: bool) -> bool:
        """Go over the colon after a key; false if there is none and nothing was a key before."""
        if self.line != line:
            if found:
                self.fail(
                    "can not read a block mapping entry; a multiline key may not be an implicit key"
                )
            return False
        while self.text[self.at] in " \t":
            self.at += 1
        if self.text[self.at] != ":":
            if found:
                self.fail("can not read an implicit mapping pair; a colon is missed")
            return False
        self.at += 1
        if self.text[self.at] not in _WHITE:
            self.fail(
                "a whitespace character is expected after the key-value separator "
                "within a block mapping"
            )
        return True

    def _read_block_value(
        self, mapping: _Mapping, indent: int, compact: bool, began: tuple[int, int]
    ) -> None:
        """Read what follows ``?`` or ``:``, and add the pair when it is complete."""
        behind = self.at
        has_value = self.compose(indent, BLOCK_OUT, seek=True, compact=compact)
        end = self.end
        if mapping.explicit:
            if has_value:
                mapping.key = self.result
        else:
            value = self.result if has_value else None
            place = (self.start, end) if has_value else (behind, behind)
            self._store(mapping, value, (mapping.key_at, *place), began)
        self.skip()
        self.end = end

    def _store(
        self,
        mapping: _Mapping,
        value: Any,
        place: tuple[int, int, int],
        began: tuple[int, int] | None = None,
    ) -> None:
        """Add a pair.

        Args:
            mapping: Where to; its key is taken.
            value: The value.
            place: Where the pair stands.
            began: Line and offset at which js-yaml complains of a key that is there already.
        """
        key, tag = mapping.key, mapping.key_tag
        mapping.key = mapping.key_tag = None
        try:
            if tag == MERGE:
                merge(mapping.value, value, mapping.overridable)
                return
            name = key_text(key)
        except PairError as error:
            self.fail(str(error))
        if name in mapping.value and name not in mapping.overridable:
            line, at = began or (0, 0)
            self.line, self.at = line or self.line, at or self.at
            self.fail("duplicated mapping key")
        if name != "__proto__":  # JavaScript makes no property of it
            mapping.value[name] = value
            mapping.places[name] = place
        mapping.overridable.discard(name)
