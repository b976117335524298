"""Stage 2 of the template language: what PAI's runtime fills in inside the container.

The runtime does it in ways that spoil values (runtime.md §6.2 and §7.5): secrets are escaped for
HTML, parameters of plugins travel through Python's ``repr`` and back. This module does what was
meant.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from openpai.core.protocol import js
from openpai.core.protocol.templates import INDEX, TemplateError, lookup, parse

__all__ = ["fill_parameters", "render_secrets"]

_REFERENCE = re.compile(r"<%\s*\$([\s\S]*?)\s*%>")
_STEP = re.compile(r"([^\[\]]*)((?:\[\s*[0-9]+\s*\])*)")


def render_secrets(script: str, secrets: Mapping[str, Any] | None) -> str:
    """Return a script with its ``$secrets`` filled in as they are; other tags stay.

    Args:
        script: The script as stage 1 left it.
        secrets: The job's secrets; without any the text is not touched.

    Raises:
        TemplateError: A tag or a section is not closed.
    """
    if not secrets:
        return script
    view = {"$secrets": dict(secrets)}
    parts = []
    for kind, content in parse(script):
        if kind == "text":
            parts.append(content)
        elif kind == "name":
            value = lookup(INDEX.sub(r".\1", content), view)
            missing = value is None or value is js.UNDEFINED
            parts.append(f"<% {content} %>" if missing else js.text(value))
    return "".join(parts)


def fill_parameters(
    parameters: Any,
    document: Mapping[str, Any],
    role: str,
    secrets: Mapping[str, Any] | None,
) -> Any:
    """Return the parameters of a plugin with ``<% $scope.key %>`` filled in.

    A text that is one reference and nothing else becomes the value itself, with its type.

    Args:
        parameters: What the job says.
        document: The job.
        role: The task role, which chooses ``$script``, ``$output`` and ``$data``.
        secrets: The job's secrets.

    Raises:
        TemplateError: A reference leads nowhere; PAI's runtime fails there too.
    """
    return _fill(parameters, _scope(document, role, secrets))


def _scope(
    document: Mapping[str, Any], role: str, secrets: Mapping[str, Any] | None
) -> dict[str, Any]:
    bound = document["taskRoles"][role]
    scope: dict[str, Any] = {"parameters": document.get("parameters"), "secrets": secrets}
    for kind in ("script", "output", "data"):
        named = [
            item
            for item in document.get("prerequisites") or ()
            if item["type"] == kind and item["name"] == bound.get(kind)
        ]
        scope[kind] = named[0] if named else None
    return scope


def _fill(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, scope) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and "<%" not in whole.group(1):
        return _find(whole.group(1), scope)
    return _REFERENCE.sub(lambda match: js.text(_find(match.group(1), scope)), value)


def _find(reference: str, scope: Mapping[str, Any]) -> Any:
    value: Any = scope
    for step in reference.split("."):
        match = _STEP.fullmatch(step)
        key, indices = match.groups() if match else (step, "")
        try:
            value = value[key] if key else value
            for index in re.findall("[0-9]+", indices):
                value = value[int(index)]
        except (KeyError, IndexError, TypeError):
            raise TemplateError(f"<% ${reference} %> leads nowhere: there is no '{step}'") from None
    return value
