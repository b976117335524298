"""Write YAML that the server (js-yaml 3.13) and PyYAML read as the same value, in block style.

A string is left plain only where both readers, and those of other YAML 1.1 tools, take it for a
string: ``1e3`` is a number to js-yaml and ``yes`` is true to PyYAML, so both are quoted.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

import yaml

from openpai.core.errors import Problem, ProtocolError
from openpai.core.protocol.js import Timestamp
from openpai.core.protocol.scalars import resolve

__all__ = ["dump"]

_DEEPEST = 150
_MOST_VALUES = 500_000
_ENDLESS = 1 << 30
_NUMBER_LIKE = re.compile(r"[-+]?\.?[0-9][0-9a-fA-FxXoObB_+.:eEtTzZ -]*")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"])
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def dump(document: Any) -> str:
    """Return the YAML text of a value.

    Raises:
        ProtocolError: The value holds something that has no form in YAML, or never ends.
    """
    if isinstance(document, Mapping):
        document = _secrets_masked_by_layout(document)
    text = _text(document)
    return text[: -len("...\n")] if text.endswith("\n...\n") else text


def _text(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ENDLESS)


class _Dumper(yaml.SafeDumper):
    """Block style, no anchors, strings as both readers understand them."""

    _depth = 0
    _values = 0

    def ignore_aliases(self, _: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)  # "- " below a key is indented

    def represent_data(self, data: Any) -> yaml.Node:
        self._values += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _error(f"The job is nested deeper than {_DEEPEST} levels.")
        if self._values > _MOST_VALUES:
            raise _error("The job is far too large: the server takes 100 KiB.")
        node = super().represent_data(data)
        self._depth -= 1
        return node

    def represent_mapping(self, tag: str, mapping: Any, _: Any = None) -> yaml.MappingNode:
        node = yaml.MappingNode(tag, [], flow_style=not mapping)
        node.value = [(self._key(key), self.represent_data(item)) for key, item in mapping.items()]
        return node

    def represent_sequence(self, tag: str, sequence: Any, _: Any = None) -> yaml.SequenceNode:
        items = [self.represent_data(item) for item in sequence]
        return yaml.SequenceNode(tag, items, flow_style=not items)

    def _key(self, key: Any) -> yaml.Node:
        if not isinstance(key, (str, bool, int, float)) and key is not None:
            raise _error(f"A key of type {type(key).__name__} cannot stand in a job.")
        node = self.represent_data(key)
        if isinstance(node, yaml.ScalarNode) and node.style == "|":
            node.style = '"'
        return node

    def analyze_scalar(self, scalar: str) -> Any:
        analysis = super().analyze_scalar(scalar)
        # PyYAML quotes texts with tabs and trailing blanks, which literal blocks hold as well.
        analysis.allow_block = analysis.allow_block or _is_block(scalar)
        return analysis

    def determine_block_hints(self, text: str) -> str:
        hints: str = super().determine_block_hints(text)
        return f"{self.best_indent}{hints}" if text.startswith("\t") else hints


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    value = _SURROGATE.sub("\ufffd", value) if _SURROGATE.search(value) else value
    style = None
    if _is_block(value):
        style = "|"
    elif _UNPRINTABLE.search(value) or "\n" in value or "\t" in value:
        style = '"'
    elif _is_ambiguous(value):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


def _is_block(value: str) -> bool:
    """Whether a string is written as a literal block: it has lines, and all of it can be shown."""
    return "\n" in value and value.strip("\n \t") != "" and not _UNPRINTABLE.search(value)


def _is_ambiguous(value: str) -> bool:
    """Whether some reader of YAML takes a string, unquoted, for something else."""
    return bool(
        not value
        or value.lower() in _WORDS
        or _NUMBER_LIKE.fullmatch(value)
        or value.startswith(("---", "..."))
        or resolve(value)[0] != "?"
    )


def _timestamp(dumper: yaml.SafeDumper, value: Timestamp) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:timestamp", value.source)


def _unknown(dumper: yaml.SafeDumper, value: Any) -> yaml.Node:
    if isinstance(value, Mapping):
        return dumper.represent_mapping("tag:yaml.org,2002:map", value)
    for kind in (str, bool, int, float):  # subclasses, such as of enum
        if isinstance(value, kind):
            return dumper.represent_data(kind(value))
    raise _error(
        f"A value of type {type(value).__name__} cannot stand in a job.",
        "Use strings, numbers, True, False, None, lists and dicts.",
    )


_Dumper.add_representer(str, _string)
_Dumper.add_representer(Timestamp, _timestamp)
_Dumper.add_representer(None, _unknown)  # type: ignore[arg-type]


def _error(message: str, hint: str = "") -> ProtocolError:
    return ProtocolError(message, [Problem("", None, None, message, hint)], hint)


def _secrets_masked_by_layout(document: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Move ``secrets`` to the end if the key behind it would not end the server's mask."""
    names = list(document)
    if "secrets" not in names or names[-1] == "secrets":
        return document
    following = names[names.index("secrets") + 1]
    if re.match("[A-Za-z0-9_]", _text({following: None})):
        return document
    return {**{k: v for k, v in document.items() if k != "secrets"}, "secrets": document["secrets"]}
