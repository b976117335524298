"""The ``<% $scope.key %>`` language: what the server puts into commands, and what the runtime does.

Stage 1, at submission (rest-server/src/middlewares/v2/protocol.js): ``$parameters``, ``$script``,
``$output`` and ``$data`` in commands; ``$secrets`` in a docker image's ``auth``. The server reads
templates with mustache 2.3 and writes them with a writer of its own: values as JavaScript texts, no
escaping, unknown names left in place, sections and comments dropped, one pass.

Stage 2, in the container, is in :mod:`openpai.core.protocol.stage2`.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from openpai.core.protocol import js
from openpai.core.protocol.js_members import OBJECT_MEMBERS, member
from openpai.core.protocol.mustache import TemplateError, parse

__all__ = ["INDEX", "TemplateError", "lookup", "render"]

INDEX = re.compile(r"\[([0-9]+)\]")


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
    if template in OBJECT_MEMBERS:
        # mustache looks the text up in its cache first, and finds a member that every object has.
        raise js.JsError("tokens is not iterable")
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
    """Return the value of a dotted name, or ``UNDEFINED``; methods are called, as mustache does."""
    value: Any = view
    if name == ".":
        return view
    steps = name.split(".") if name.find(".") > 0 else [name]
    for step in steps:
        if value is None or value is js.UNDEFINED:
            return js.UNDEFINED
        value = member(value, step)
    return value() if callable(value) else value
