"""Tags, anchors, aliases and directives of the YAML reader."""

from __future__ import annotations

import re
from typing import Any, Callable

from openpai.core.protocol import js
from openpai.core.protocol.jsyaml.scalars import SCALAR_TAGS, TAG
from openpai.core.protocol.jsyaml.scanner import Scanner, end_of

__all__ = ["Tags"]

_HANDLE = re.compile(r"!|!!|![a-z-]+!", re.IGNORECASE | re.ASCII)
_URI = re.compile(
    "(?:!|[^,\\[\\]{}\U00010000-\U0010ffff])"
    r"(?:%[0-9a-f]{2}|[0-9a-z\-#;/?:@&=+$,_.!~*'()\[\]])*",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_WORD = re.compile(r"[^ \t\n\0]*")
_NAME = re.compile(r"[^ \t\n\0,\[\]{}]*")
_VERBATIM = re.compile(r"[^>\0]*")
_BLANKS = re.compile(r"[ \t]*")
_VERSION = re.compile(r"([0-9]+)\.[0-9]+")
_FLOW = re.compile(r"[,\[\]{}]")


def _is_set(value: dict[str, Any]) -> bool:
    return all(item is None for item in value.values())


def _is_omap(value: list[Any]) -> bool:
    names = [key for item in value if isinstance(item, dict) for key in item]
    return _is_pairs(value) and len(set(names)) == len(names)


def _is_pairs(value: list[Any]) -> bool:
    return all(isinstance(item, dict) and len(item) == 1 for item in value)


def _pairs(value: Any) -> list[Any]:
    return [list(next(iter(item.items()))) for item in value]


_COLLECTION_TAGS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    TAG + "seq": ("sequence", lambda _: True),
    TAG + "omap": ("sequence", _is_omap),
    TAG + "pairs": ("sequence", _is_pairs),
    TAG + "map": ("mapping", lambda _: True),
    TAG + "set": ("mapping", _is_set),
}
_KINDS_OF_COLLECTIONS = ("sequence", "mapping")
_OF_NOTHING: dict[str, Callable[[], Any]] = {
    TAG + "null": lambda: None,
    TAG + "merge": lambda: None,
    TAG + "str": str,
    TAG + "seq": list,
    TAG + "omap": list,
    TAG + "pairs": list,
    TAG + "map": dict,
    TAG + "set": dict,
}


class Tags(Scanner):
    """Reads the properties of nodes.

    Attributes:
        tag: The tag of the current node: ``None`` for none, ``?`` for a plain scalar.
        anchor: The anchor of the current node.
        kind: ``scalar``, ``sequence``, ``mapping``, or ``None`` for no content.
        anchors: The values by anchor.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tag: str | None = None
        self.anchor: str | None = None
        self.kind: str | None = None
        self.anchors: dict[str, Any] = {}
        self._handles: dict[str, str] = {}
        self._version = False
        self.has_directives = False

    def forget(self) -> None:
        """Begin a node: it has no properties and no value yet."""
        self.tag = self.anchor = self.kind = self.result = None

    def begin_document(self) -> None:
        """Forget the document before, and read the directives of the next."""
        self._version = self.has_directives = False
        self._handles, self.anchors = {}, {}
        while self.text[self.at] != "\0":
            self.skip()
            if self.line_indent > 0 or self.text[self.at] != "%":
                break
            self.has_directives = True
            self._read_directive()

    def _read_directive(self) -> None:
        self.at += 1
        if self.text[self.at] in " \t\n\0":
            self.fail("directive name must not be less than one character in length")
        name, *arguments = self._directive_words()
        if self.text[self.at] != "\0":
            self.read_break()
        if name == "YAML":
            self._set_version(arguments)
        elif name == "TAG":
            self._set_handle(arguments)

    def _directive_words(self) -> list[str]:
        words = []
        while True:
            end = end_of(_WORD, self.text, self.at)
            words.append(self.text[self.at : end])
            self.at = end_of(_BLANKS, self.text, end)
            if self.text[self.at] == "#":
                self.at = (
                    self.text.find("\n", self.at) if "\n" in self.text[self.at :] else self.length
                )
            if self.text[self.at] in "\n\0":
                return words

    def _set_version(self, arguments: list[str]) -> None:
        if self._version:
            self.fail("duplication of %YAML directive")
        if len(arguments) != 1:
            self.fail("YAML directive accepts exactly one argument")
        match = _VERSION.fullmatch(arguments[0])
        if not match:
            self.fail("ill-formed argument of the YAML directive")
        if int(match.group(1)) != 1:
            self.fail("unacceptable YAML version of the document")
        self._version = True

    def _set_handle(self, arguments: list[str]) -> None:
        if len(arguments) != 2:
            self.fail("TAG directive accepts exactly two arguments")
        handle, prefix = arguments
        if not _HANDLE.fullmatch(handle):
            self.fail("ill-formed tag handle (first argument) of the TAG directive")
        if handle in self._handles:
            self.fail(f'there is a previously declared suffix for "{handle}" tag handle')
        if not _URI.fullmatch(prefix):
            self.fail("ill-formed tag prefix (second argument) of the TAG directive")
        self._handles[handle] = prefix

    def read_tag(self) -> bool:
        """Read ``!tag``, ``!!tag``, ``!handle!tag`` or ``!<tag>``."""
        if self.text[self.at] != "!":
            return False
        if self.tag is not None:
            self.fail("duplication of a tag property")
        self.at += 1
        if self.text[self.at] == "<":
            self.tag = self._verbatim_tag()
            return True
        handle, name = self._shorthand_tag()
        if name and not _URI.fullmatch(name):
            self.fail(f"tag name cannot contain such characters: {name}")
        if handle in self._handles:
            self.tag = self._handles[handle] + name
        elif handle in ("!", "!!"):
            self.tag = (TAG if handle == "!!" else "!") + name
        else:
            self.fail(f'undeclared tag handle "{handle}"')
        return True

    def _verbatim_tag(self) -> str:
        start = self.at + 1
        self.at = end_of(_VERBATIM, self.text, start + 1)
        if self.at >= self.length:
            self.fail("unexpected end of the stream within a verbatim tag")
        name = self.text[start : self.at]
        self.at += 1
        if name and not _URI.fullmatch(name):
            self.fail(f"tag name cannot contain such characters: {name}")
        return name

    def _shorthand_tag(self) -> tuple[str, str]:
        handle, named = "!", False
        if self.text[self.at] == "!":
            handle, named = "!!", True
            self.at += 1
        start = self.at
        end = end_of(_WORD, self.text, start)
        bang = self.text.find("!", start, end)
        while bang >= 0:
            self.at = bang
            if named:
                self.fail("tag suffix cannot contain exclamation marks")
            handle, named = self.text[start - 1 : bang + 1], True
            if not _HANDLE.fullmatch(handle):
                self.fail("named tag handle cannot contain such characters")
            start = bang + 1
            bang = self.text.find("!", start, end)
        self.at = end
        name = self.text[start:end]
        if _FLOW.search(name):
            self.fail("tag suffix cannot contain flow indicator characters")
        return handle, name

    def read_anchor(self) -> bool:
        """Read ``&anchor``."""
        if self.text[self.at] != "&":
            return False
        if self.anchor is not None:
            self.fail("duplication of an anchor property")
        self.anchor = self._read_name("anchor")
        return True

    def read_alias(self) -> bool:
        """Read ``*alias``; its value is the very object that the anchor names."""
        if self.text[self.at] != "*":
            return False
        alias = self._read_name("alias")
        if alias not in self.anchors:
            self.fail(f'unidentified alias "{alias}"')
        self.result, self.end = self.anchors[alias], self.at
        self.skip()
        if self.tag is not None or self.anchor is not None:
            self.fail("alias node should not have any properties")
        return True

    def _read_name(self, what: str) -> str:
        start = self.at + 1
        self.at = end_of(_NAME, self.text, start)
        if self.at == start:
            self.fail(f"name of an {what} node must contain at least one character")
        return self.text[start : self.at]

    def apply_tag(self, tag: str) -> None:
        """Make of the current value what an explicit tag says."""
        if self.kind in _KINDS_OF_COLLECTIONS:
            kind, fits = _COLLECTION_TAGS.get(tag, ("", bool))
            known = kind == self.kind
            value = self.result if known and fits(self.result) else js.UNDEFINED
            if tag == TAG + "pairs" and value:
                value = _pairs(value)
        else:
            known = tag in SCALAR_TAGS or (self.kind is None and tag in _COLLECTION_TAGS)
            value = self._tagged_scalar(tag)
        if not known:
            self.fail(f"unknown tag !<{tag}>")
        if value is js.UNDEFINED:
            self.fail(f"cannot resolve a node with !<{tag}> explicit tag")
        self.result = value
        if self.anchor is not None:
            self.anchors[self.anchor] = self.result

    def _tagged_scalar(self, tag: str) -> Any:
        if self.result is None:
            return _OF_NOTHING[tag]() if tag in _OF_NOTHING else js.UNDEFINED
        if isinstance(self.result, str):
            return SCALAR_TAGS[tag](self.result) if tag in SCALAR_TAGS else js.UNDEFINED
        return self.result if tag == TAG + "str" else js.UNDEFINED
