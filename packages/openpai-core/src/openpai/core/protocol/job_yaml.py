"""Read and write job files: YAML with the server's types, on PyYAML.

PyYAML parses; what a scalar, a key, a tag and a merge mean is js-yaml's (3.13), which is what the
server reads jobs with: ``1e-4`` is a number, ``yes`` a string, every key a string, and no key may
come twice. Written texts mean the same to both.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple

from openpai.core.protocol import js
from openpai.core.protocol.scalars import MERGE, SCALAR_TAGS, TAG, resolve
from openpai.core.protocol.yaml_errors import Place, YamlError, place_of, translate

if TYPE_CHECKING:
    from yaml import Event

__all__ = ["Document", "YamlError", "clean", "dump_yaml", "load_yaml", "read_yaml"]

_DEEPEST = 100
_MOST_MERGED = 100_000
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
#: Characters to the server; to PyYAML the first three end a line, and libyaml refuses the last.
_ORDINARY = "\x85\u2028\u2029\ufeff"
_PRIVATE = range(0x10FF00, 0x10FFFE)
_COLLECTIONS = {"map": dict, "set": dict, "seq": list, "omap": list, "pairs": list}
_UNTAG = "Remove the tag, or quote a text that begins with '!'."


class Document(NamedTuple):
    """A YAML text that has been read.

    Attributes:
        value: Its value; :data:`~openpai.core.protocol.js.UNDEFINED` for an empty text.
        places: By ``id`` of each mapping and sequence: itself, and by key or index where the key
            (or the dash) and the value stand; an empty value stands where its key does.
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
    _check_characters(text)
    is_json = text.lstrip().startswith("{") and _is_json(text)
    hidden, originals = _hide_ordinary(text)
    if is_json:
        hidden = hidden.replace("\t", " ")  # which YAML takes for indentation
    builder = _Builder(originals)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        builder.build(yaml.parse(hidden, Loader=loader))
    except yaml.MarkedYAMLError as error:
        if is_json:  # escapes of half a character, keys of more than 1,024 characters
            return Document(json.loads(text, parse_int=lambda digits: resolve(digits)[1]), {})
        raise translate(error, text) from None
    if builder.value is js.UNDEFINED and text.strip(" ") not in ("", "\n"):
        return Document(None, {})  # comments alone
    return Document(builder.value, builder.places)


def clean(text: str) -> str:
    r"""Return a text without byte order mark, its line breaks as ``\n``."""
    text = text[1:] if text.startswith("\ufeff") else text
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _check_characters(text: str) -> None:
    match = _UNPRINTABLE.search(text)
    if match:
        reason = f"a character that YAML does not take, U+{ord(match.group()):04X}"
        hint = "Remove it, or write it as an escape in double quotes."
        raise YamlError(reason, place_of(text, match.start()), hint)


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


def _hide_ordinary(text: str) -> tuple[str, dict[int, str]]:
    """Replace what is an ordinary character to the server alone; return the way back, too."""
    found = [char for char in _ORDINARY if char in text]
    if not found:
        return text, {}
    free = (code for code in _PRIVATE if chr(code) not in text)
    originals = dict(zip(free, found))
    return text.translate({ord(char): code for code, char in originals.items()}), originals


class _Collection:
    """A mapping or a sequence while it is read.

    Attributes:
        event: Its start.
        value: What has been read of it.
        places: Where its keys and values stand.
        key: In a mapping the event and the value of a key whose value is next, else ``None``.
        merged: Keys that came from ``<<``, which the mapping may set once more.
    """

    def __init__(self, event: Any) -> None:
        import yaml

        self.event = event
        self.value: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self.places: dict[Any, tuple[Place, Place]] = {}
        self.key: tuple[Any, Any] | None = None
        self.merged: set[str] = set()


class _Builder:
    """Builds the value of a document from the parser's events."""

    def __init__(self, originals: dict[int, str]) -> None:
        self.value: Any = js.UNDEFINED
        self.places: dict[int, tuple[Any, dict[Any, tuple[Place, Place]]]] = {}
        self._originals = originals
        self._open: list[_Collection] = []
        self._anchors: dict[str, Any] = {}
        self._documents = 0
        self._merged = 0

    def build(self, events: Iterable[Event]) -> None:
        import yaml

        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                value = self._scalar(event)
                self._name(event, value)
                self._add(value, event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._aliased(event), event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._begin_document(event)

    def _begin_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "Put one job into one file: remove '---'."
            raise YamlError("a second document in the file", _place(event), hint)

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if self._originals:
            text = text.translate(self._originals)
        return _scalar_value(text, event)

    def _name(self, event: Any, value: Any) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = value

    def _aliased(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            hint = "Quote a text that begins with '*'."
            raise YamlError(f"unknown alias '*{event.anchor}'", _place(event), hint)
        return self._anchors[event.anchor]

    def _begin(self, event: Any) -> None:
        if len(self._open) >= _DEEPEST:
            raise YamlError(f"the text is nested deeper than {_DEEPEST} levels", _place(event))
        collection = _Collection(event)
        kind = _COLLECTIONS.get((event.tag or "").partition(TAG)[2])
        if event.tag not in (None, "!") and type(collection.value) is not kind:
            raise _unknown_tag(event)
        self._name(event, collection.value)
        self._open.append(collection)

    def _end(self) -> None:
        done = self._open.pop()
        self.places[id(done.value)] = (done.value, done.places)
        if done.event.tag == TAG + "pairs":
            done.value[:] = [[key, item] for pair in done.value for key, item in pair.items()]
        self._add(done.value, done.event)

    def _add(self, value: Any, event: Any) -> None:
        """Add a complete node to the collection around it."""
        if not self._open:
            self.value = value
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            place = _place(event)
            dash = place if parent.event.flow_style else _place(parent.event)
            parent.places[len(parent.value)] = (Place(place.line, dash.column), place)
            parent.value.append(value)
        elif parent.key is None:
            parent.key = (event, value)
        else:
            (key_event, key), parent.key = parent.key, None
            if _is_merge(key_event):
                self._merge(parent, value, key_event)
            else:
                places = _place(key_event), _place(key_event if _is_empty(event) else event)
                _store(parent, _key_text(key, key_event), value, places)

    def _merge(self, parent: _Collection, value: Any, event: Any) -> None:
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                raise YamlError("'<<' takes a mapping, or a list of them", _place(event))
            self._merged += len(source)
            if self._merged > _MOST_MERGED:
                hint = "Write the values out where they are used."
                raise YamlError("merges ('<<') make the job far too large", _place(event), hint)
            for key, item in source.items():
                if key not in parent.value:
                    parent.value[key] = item
                    parent.merged.add(key)


def _store(parent: _Collection, key: str, value: Any, places: tuple[Place, Place]) -> None:
    if key in parent.value and key not in parent.merged:
        raise YamlError(f"the key '{key}' comes twice", places[0], "Remove one of the two keys.")
    parent.merged.discard(key)
    parent.places[key] = places
    parent.value[key] = value


def _key_text(key: Any, event: Any) -> str:
    """Return the string that a node becomes as a key, as JavaScript's properties do."""
    if isinstance(key, list) and any(isinstance(item, list) for item in key):
        raise YamlError("a list of lists as a key", _place(event))
    try:
        return js.text(key)
    except js.JsError:
        raise YamlError("a key that is far too long", _place(event)) from None


def _is_merge(event: Any) -> bool:
    tag = getattr(event, "tag", None)
    return tag == MERGE or (
        tag is None and getattr(event, "value", "") == "<<" and bool(event.implicit[0])
    )


def _scalar_value(text: str, event: Any) -> Any:
    """Return the value of a scalar; its tag, if it has one, must be of js-yaml's safe schema."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    is_plain = event.implicit[0] and event.tag is None
    if is_plain:
        return resolve(text)[1] if text else None
    if event.tag is None or event.tag == "!":
        return text
    collection = _COLLECTIONS.get(event.tag.partition(TAG)[2])
    if collection and not text:
        return collection()
    if event.tag not in SCALAR_TAGS:
        raise _unknown_tag(event)
    value = SCALAR_TAGS[event.tag](text)
    if value is js.UNDEFINED:
        raise YamlError(f"'{text}' is not of the type that its tag names", _place(event))
    return value


def _unknown_tag(event: Any) -> YamlError:
    return YamlError(f"unknown tag '{event.tag.replace(TAG, '!!')}'", _place(event), _UNTAG)


def _is_empty(event: Any) -> bool:
    """Whether a node is a scalar without text: a value that was left out."""
    text = getattr(event, "value", None)
    return text == "" and bool(event.start_mark.index == event.end_mark.index)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def dump_yaml(document: Any) -> str:
    """Return YAML text in block style that the server and PyYAML read as the same value.

    The order of keys is kept; strings of several lines become literal blocks; whatever one of the
    two readers would take for something else than a string is quoted. A key of plain letters
    follows ``secrets``, or nothing, which the server's masking needs.

    Raises:
        ProtocolError: The value holds something that YAML for jobs has no form for.
    """
    from openpai.core.protocol.yaml_dumper import dump

    return dump(document)
