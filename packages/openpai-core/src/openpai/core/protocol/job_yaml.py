"""Read and write job files: YAML with the server's types, on PyYAML.

PyYAML parses; what a scalar, a key, a tag and a merge mean is js-yaml's (3.13), which is what the
server reads jobs with: ``1e-4`` is a number, ``yes`` a string, every key a string, and no key may
come twice. Written texts mean the same to both.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple

from openpai.core.errors import Problem, ProtocolError
from openpai.core.protocol import js
from openpai.core.protocol.scalars import MERGE, SCALAR_TAGS, TAG, resolve

if TYPE_CHECKING:
    from yaml import Event, Mark, MarkedYAMLError

__all__ = ["Document", "YamlError", "dump_yaml", "load_yaml", "read_yaml"]

_DEEPEST = 100
_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff(?!^)"
)
_TAB = re.compile(r"^ *\t", re.MULTILINE)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_KINDS = {"map": dict, "set": dict, "seq": list, "omap": list, "pairs": list}
"""What the tags of collections are of."""


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


class Place(NamedTuple):
    """A place in a text, from 1."""

    line: int
    column: int


class Document(NamedTuple):
    """A YAML text that has been read.

    Attributes:
        value: Its value; :data:`~openpai.core.protocol.js.UNDEFINED` for an empty text.
        places: By ``id`` of each mapping and sequence: itself, and by key or index where the key
            and the value stand; an empty value stands where its key does.
    """

    value: Any
    places: dict[int, tuple[Any, dict[Any, tuple[Place, Place]]]]


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text as the server reads it; ``UNDEFINED`` for an empty one.

    Raises:
        YamlError: The text is not YAML to the server.
    """
    return read_yaml(text).value


def read_yaml(text: str) -> Document:
    """Read a YAML text, or one of JSON.

    Raises:
        YamlError: The text is neither.
    """
    import yaml

    text = clean(text)
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        code = f"U+{ord(unprintable.group()):04X}"
        hint = "Remove it, or write it as an escape in double quotes."
        raise YamlError(
            f"a character that YAML does not take, {code}", _at(text, unprintable), hint
        )
    is_json = text.lstrip().startswith("{")
    reader = _Reader()
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        reader.read(yaml.parse(text.replace("\t", " ") if is_json else text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        if is_json and _is_json(text):
            return Document(json.loads(text), {})
        raise _error(error, text) from None
    return Document(reader.value if text else js.UNDEFINED, reader.places)


def clean(text: str) -> str:
    r"""Return a text without byte order mark, its line breaks as ``\n``."""
    text = text[1:] if text.startswith("\ufeff") else text
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _is_json(text: str) -> bool:
    """Whether a text is JSON in which no key comes twice."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError

    try:
        json.loads(text, object_pairs_hook=check)
    except (ValueError, RecursionError):
        return False
    return True


class _Collection:
    """A mapping or a sequence while it is read."""

    def __init__(self, event: Any, value: Any) -> None:
        self.event = event
        self.value = value
        self.places: dict[Any, tuple[Place, Place]] = {}
        self.key: Any = None
        self.key_event: Any = None
        self.merged: set[str] = set()


class _Reader:
    """Builds the value of a document from the parser's events."""

    def __init__(self) -> None:
        self.value: Any = None
        self.places: dict[int, tuple[Any, dict[Any, tuple[Place, Place]]]] = {}
        self._open: list[_Collection] = []
        self._anchors: dict[str, Any] = {}
        self._documents = 0

    def read(self, events: Iterable[Event]) -> None:
        import yaml

        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                value = _scalar(event)
                self._name(event, value)
                self._add(value, event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event, [] if isinstance(event, yaml.SequenceStartEvent) else {})
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    hint = "Quote a text that begins with '*'."
                    raise YamlError(f"unknown alias '*{event.anchor}'", _place(event), hint)
                self._add(self._anchors[event.anchor], event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    hint = "Put one job into one file: remove '---'."
                    raise YamlError("a second document in the file", _place(event), hint)

    def _name(self, event: Any, value: Any) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = value

    def _begin(self, event: Any, value: Any) -> None:
        if len(self._open) >= _DEEPEST:
            raise YamlError(f"the text is nested deeper than {_DEEPEST} levels", _place(event))
        kind = (event.tag or "").partition(TAG)[2]
        if event.tag not in (None, "!") and not isinstance(value, _KINDS.get(kind, ())):
            raise _unknown_tag(event)
        self._name(event, value)
        self._open.append(_Collection(event, value))

    def _end(self) -> None:
        done = self._open.pop()
        self.places[id(done.value)] = (done.value, done.places)
        if done.event.tag == TAG + "pairs":
            done.value[:] = [[key, item] for pair in done.value for key, item in pair.items()]
        self._add(done.value, done.event)

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self.value = value
            return
        parent = self._open[-1]
        place = _place(event)
        if isinstance(parent.value, list):
            parent.places[len(parent.value)] = (place, place)
            parent.value.append(value)
        elif parent.key_event is None:
            parent.key_event, parent.key = event, value
        else:
            key_event, parent.key_event = parent.key_event, None
            if _is_merge(key_event):
                self._merge(parent, value, key_event)
            else:
                self._store(parent, key_event, value, place)

    def _store(self, parent: _Collection, key_event: Any, value: Any, place: Place) -> None:
        key = js.text(parent.key)
        if key in parent.value and key not in parent.merged:
            raise YamlError(
                f"the key '{key}' comes twice", _place(key_event), "Remove one of the two keys."
            )
        parent.merged.discard(key)
        parent.places[key] = (_place(key_event), place)
        parent.value[key] = value

    def _merge(self, parent: _Collection, value: Any, event: Any) -> None:
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                raise YamlError("'<<' takes a mapping, or a list of them", _place(event))
            for key, item in source.items():
                if key not in parent.value:
                    parent.value[key] = item
                    parent.merged.add(key)


def _is_merge(event: Any) -> bool:
    plain = getattr(event, "implicit", (False,))
    is_plain = isinstance(plain, tuple) and plain[0] and event.value == "<<"
    return is_plain or getattr(event, "tag", None) == MERGE


def _scalar(event: Any) -> Any:
    """Return the value of a scalar."""
    text = event.value
    if max(text, default="") >= "\ud800" and _SURROGATES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if event.tag is None:
        return (
            resolve(text)[1]
            if event.implicit[0] and text
            else (None if event.implicit[0] else text)
        )
    if event.tag == "!":
        return text
    kind = event.tag.partition(TAG)[2]
    if kind in _KINDS and not text:
        return _KINDS[kind]()
    if event.tag not in SCALAR_TAGS:
        raise _unknown_tag(event)
    value = SCALAR_TAGS[event.tag](text)
    if value is js.UNDEFINED:
        raise YamlError(f"'{text}' is not of the type that its tag names", _place(event))
    return value


def _unknown_tag(event: Any) -> YamlError:
    tag = event.tag.replace(TAG, "!!")
    return YamlError(
        f"unknown tag '{tag}'",
        _place(event),
        "Remove the tag, or quote a text that begins with '!'.",
    )


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _at(text: str, match: re.Match[str]) -> Place:
    start = text.rfind("\n", 0, match.start()) + 1
    return Place(text.count("\n", 0, match.start()) + 1, match.start() - start + 1)


#: By words of libyaml's and PyYAML's messages: what is wrong.
_REASONS = (
    ("mapping values are not allowed", "a ': ' inside a value"),
    ("expected ':'", "a ':' is missing behind a key"),
    ("unknown escape", "an escape that YAML does not have"),
    ("expected escape sequence", "an escape that lacks hexadecimal digits"),
    ("hexadecimal", "an escape that lacks hexadecimal digits"),
    ("Unicode character escape", "an escape of half a character"),
    ("quoted scalar", "a quoted text that is not closed"),
    ("flow ", "a bracket that is not closed, or a comma that is missing"),
    ("cannot start any token", "a text that begins with a character that YAML reserves"),
    ("block collection", "an entry with another indentation than its neighbours"),
    ("block sequence", "an entry with another indentation than its neighbours"),
    ("block mapping", "a key with another indentation than its neighbours"),
    ("tag", "a tag that is not one"),
    ("incompatible", "a version of YAML other than 1"),
    ("indentation indicator", "an indentation of 0 behind '|' or '>'"),
)
_HINTS = {
    "a ': ' inside a value": "Quote a text that holds ': '.",
    "a ':' is missing behind a key": "Put ': ' between key and value, and indent values alike.",
    "an escape that YAML does not have": "Write backslashes in single quotes, or twice.",
    "a quoted text that is not closed": "Close the quotes.",
    "a tag that is not one": "Remove the tag, or quote a text that begins with '!'.",
}
_ALIKE = "Indent entries alike, and quote texts that begin with @ ` % & * or !."


def _error(error: MarkedYAMLError, text: str) -> YamlError:
    """Return our error for the parser's: libyaml's words differ from PyYAML's, places do not."""
    mark = error.problem_mark or error.context_mark
    tab = _TAB.search(text)
    if tab and mark and text.count("\n", 0, tab.start()) <= mark.line:
        line = _line(text, mark)
        if _TAB.match(line):
            tab_place = Place(mark.line + 1, line.index("\t") + 1)
            return YamlError("a tab is used for indentation", tab_place, "Indent with spaces.")
    words = f"{error.context or ''} {error.problem or ''}"
    if "end of stream" in words or "<stream end>" in words or "STREAM-END" in words:
        mark = error.context_mark or mark  # where it begins says more than the end of the file
    place = Place(mark.line + 1, mark.column + 1) if mark else None
    reason = next((reason for part, reason in _REASONS if part in words), error.problem)
    return YamlError(reason or "a syntax error", place, _HINTS.get(reason or "", _ALIKE))


def _line(text: str, mark: Mark) -> str:
    return text.split("\n", mark.line + 1)[mark.line]


def dump_yaml(document: Any) -> str:
    """Return YAML text in block style that the server and PyYAML read as the same value.

    The order of keys is kept; texts of several lines become literal blocks; whatever one of the two
    readers would take for something else than a text is quoted. Where a mapping has the key
    ``secrets``, a key of plain letters follows it, which the server's masking needs.

    Raises:
        ProtocolError: The value holds something that YAML for jobs has no form for.
    """
    from openpai.core.protocol.yaml_dumper import dump

    return dump(document)
