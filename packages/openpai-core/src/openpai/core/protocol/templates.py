"""The ``<% $scope.key %>`` language: what the server puts into commands, and what the runtime does.

Stage 1, at submission (rest-server/src/middlewares/v2/protocol.js): ``$parameters``, ``$script``,
``$output`` and ``$data`` in commands; ``$secrets`` in a docker image's ``auth``. Values become
texts as in JavaScript, nothing is escaped, names without a value are left in place, the sections
and comments of mustache are dropped, one pass.

Stage 2, in the container, is in :mod:`openpai.core.protocol.stage2`.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Tuple

from openpai.core.protocol import js

__all__ = ["INDEX", "TemplateError", "lookup", "parse", "render"]

INDEX = re.compile(r"\[([0-9]+)\]")
_TAG = re.compile("<%(.*?)%>", re.DOTALL)
# A line with nothing but a tag that vanishes, which vanishes with it.
_LINE = re.compile(r"^[ \t]*(<%[ \t]*[#^/>!](?:(?!%>).)*%>)[ \t]*\n", re.MULTILINE)
_SYMBOLS = "#^/>{&=!"

Token = Tuple[str, str]


class TemplateError(js.JsError):
    """A template that cannot be read; the server answers with status 500."""


def parse(template: str) -> Iterator[Token]:
    """Yield the parts of a template as (kind, content).

    Kinds are ``text``, ``name`` (a plain tag), and the symbol of mustache's other tags. What is
    inside sections is left out, as the server does.

    Raises:
        TemplateError: A tag or a section is not closed, or the tags are to be written otherwise.
    """
    if template.rfind("%>") < template.rfind("<%") + 2 and "<%" in template:
        raise TemplateError(f"Unclosed tag at {js.width(template)}")
    sections: list[str] = []
    for number, part in enumerate(_TAG.split(_LINE.sub(r"\1", template))):
        kind, content = _tag(part) if number % 2 else ("text", part)
        if kind == "=":
            raise TemplateError(f"'<%={content[:60]}%>' is not a value: write '<% … %>'")
        if kind == "/" and (not sections or sections.pop() != content):
            raise TemplateError(f'Section "{content}" is closed and was not opened')
        if not sections and (content or kind == "name"):
            yield kind, content
        if kind in ("#", "^"):
            sections.append(content)
    if sections:
        raise TemplateError(f'Unclosed section "{sections[-1]}" at {js.width(template)}')


def _tag(inside: str) -> Token:
    content = js.trim(inside)
    if content[:1] and content[0] in _SYMBOLS:
        return content[0], js.trim(content[1:])
    return "name", content


def render(template: Any, scope: Mapping[str, Any]) -> str:
    """Return a text as the server renders it (stage 1), trimmed at both ends.

    Args:
        template: The text; anything else makes the server fail.
        scope: The values by scope name, such as ``{"$parameters": {...}}``.

    Raises:
        TemplateError: A tag or a section is not closed.
        JsError: The server's program fails at a value.
    """
    if not isinstance(template, str):
        if not template and not isinstance(template, (list, dict)):
            return ""
        raise js.JsError("this.tail.search is not a function")
    view = dict(scope)
    parts = []
    for kind, content in parse(template):
        if kind == "text":
            parts.append(content)
        elif kind == "name":
            name = INDEX.sub(r".\1", content)
            value = lookup(name, view)
            missing = value is None or value is js.UNDEFINED
            parts.append(f"<% {name} %>" if missing else js.text(value))
    return js.trim("".join(parts))


def lookup(name: str, view: dict[str, Any]) -> Any:
    """Return the value of a dotted name, or ``UNDEFINED``."""
    value: Any = view
    if name == ".":
        return view
    steps = name.split(".") if name.find(".") > 0 else [name]
    for step in steps:
        if value is None or value is js.UNDEFINED:
            return js.UNDEFINED
        value = js.member(value, step)
    return value
