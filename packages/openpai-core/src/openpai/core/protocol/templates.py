"""The ``<% $scope.key %>`` language: parse, render on the server, fill in on the node.

Stage 1, at submission (rest-server/src/middlewares/v2/protocol.js): ``$parameters``, ``$script``,
``$output`` and ``$data`` in commands; ``$secrets`` in the ``auth`` of a docker image. Values become
strings as in JavaScript, nothing is escaped, tags without a value stay, sections and comments of
mustache are dropped, one pass.

Stage 2, in the container: ``$secrets`` in commands, all scopes in parameters of plugins. PAI's
runtime escapes secrets for HTML and takes parameters of plugins through Python's ``repr``
(openpai-runtime: src/common/utils.py); here values arrive as they are.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Tuple

from openpai.core.protocol import js
from openpai.core.protocol.references import References, has, members

__all__ = [
    "TemplateError",
    "fill_parameters",
    "parse",
    "render",
    "render_job",
    "render_secrets",
]

_TAG = re.compile("<%(.*?)%>", re.DOTALL)
#: A line with nothing but a tag that vanishes, which vanishes with it.
_LINE = re.compile(r"^[ \t]*(<%[ \t]*[#^/>!](?:(?!%>).)*%>)[ \t]*\n", re.MULTILINE)
_SYMBOLS = "#^/>{&=!"
_INDEX = re.compile(r"\[([0-9]+)\]")
_REFERENCE = re.compile(r"<%\s*\$([\s\S]*?)\s*%>")
_STEP = re.compile(r"([^\[\]]*)((?:\[\s*[0-9]+\s*\])*)")
_BOUND = ("script", "output", "data")
"""Types of prerequisites that a task role binds, each by a key of this name."""

Token = Tuple[str, str]


class TemplateError(js.JsError):
    """Invalid template; the server answers with status 500."""


def parse(template: str) -> Iterator[Token]:
    """Yield the parts of a template as (kind, content).

    Kinds are ``text``, ``name`` (a plain tag, its indices written ``.0``), and the symbol of
    mustache's other tags. What is inside sections is left out, as the server does.

    Raises:
        TemplateError: A tag or a section is not closed, or a tag sets other delimiters.
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
    return "name", _INDEX.sub(r".\1", content)


def render(template: Any, scope: dict[str, Any]) -> str:
    """Return a string as the server renders it (stage 1), trimmed at both ends.

    Args:
        template: The string; the server fails at anything else that is not empty.
        scope: The values by scope name, such as ``{"$parameters": {...}}``.

    Raises:
        TemplateError: The template is invalid.
        JsError: The server's program fails at a value.
    """
    if isinstance(template, str):
        return js.trim(_substitute(template, scope))
    if not template and not isinstance(template, (list, dict)):
        return ""
    raise js.JsError("this.tail.search is not a function")


def _substitute(template: str, scope: dict[str, Any]) -> str:
    parts = []
    for kind, content in parse(template):
        if kind == "text":
            parts.append(content)
        elif kind == "name":
            value = _lookup(content, scope)
            missing = value is None or value is js.UNDEFINED
            parts.append(f"<% {content} %>" if missing else js.text(value))
    return "".join(parts)


def _lookup(name: str, scope: dict[str, Any]) -> Any:
    """Return the value of a dotted name, or ``UNDEFINED``."""
    if name == ".":
        return scope
    value: Any = scope
    for step in name.split(".") if name.find(".") > 0 else [name]:
        if value is None or value is js.UNDEFINED:
            return js.UNDEFINED
        value = js.member(value, step)
    return value


def render_job(document: dict[str, Any], references: References) -> dict[str, str]:
    """Return the script of each task role (stage 1; rest-server: protocolRender).

    Args:
        document: The job.
        references: What :func:`~openpai.core.protocol.references.resolve_references` returned.

    Raises:
        JsError: The server fails.
    """
    _render_auth(document, references)
    deployment = _default_deployment(document, references)
    roles = members(document["taskRoles"])
    scripts: dict[int, str] = {}
    for name, role in roles:
        # The server stores the script in the role, and an alias makes two names of one role.
        commands = _commands(role, name, deployment)
        scripts[id(role)] = render(commands, _role_scope(document, role, references))
    return {name: scripts[id(role)] for name, role in roles}


def _render_auth(document: dict[str, Any], references: References) -> None:
    """Render the credentials of images, at which the server fails if a value is not a string."""
    scope = {"$secrets": document.get("secrets", js.UNDEFINED)}
    for image in references.prerequisites["dockerimage"].values():
        for _, value in members(image["auth"]) if has(image, "auth") else ():
            render(value, scope)


def _default_deployment(document: dict[str, Any], references: References) -> Any:
    defaults: Any = document.get("defaults", {})
    if not has(defaults, "deployment"):
        return None
    return references.deployments.get(js.text(js.member(defaults, "deployment")))


def _commands(role: Any, name: str, deployment: Any) -> str:
    """Return the commands of a task role with those that its deployment puts around them."""
    commands = js.member(role, "commands")
    if deployment is not None and deployment is not js.UNDEFINED:
        added = js.member(deployment, "taskRoles")
        if has(added, name):
            around = js.member(added, name)
            before = js.member(around, "preCommands") if has(around, "preCommands") else []
            after = js.member(around, "postCommands") if has(around, "postCommands") else []
            commands = [*before, *commands, *after]
    if not isinstance(commands, list):
        raise js.JsError(f"Cannot read properties of {commands} (reading 'map')")
    if not all(isinstance(command, str) for command in commands):
        raise js.JsError("command.trim is not a function")
    return "\n".join(map(js.trim, commands))


def _role_scope(document: dict[str, Any], role: Any, references: References) -> dict[str, Any]:
    scope = {"$parameters": document.get("parameters", js.UNDEFINED)}
    for kind in _BOUND:
        name = js.text(js.member(role, kind))
        scope[f"${kind}"] = references.prerequisites[kind].get(name, js.UNDEFINED)
    return scope


def render_secrets(script: str, secrets: Mapping[str, Any] | None) -> str:
    """Return a script with its ``$secrets`` filled in (stage 2); other tags stay.

    Args:
        script: The script as stage 1 left it.
        secrets: The job's secrets; without any the script is returned as it is.

    Raises:
        TemplateError: The script is not a valid template.
    """
    return _substitute(script, {"$secrets": dict(secrets)}) if secrets else script


def fill_parameters(
    parameters: Any,
    document: Mapping[str, Any],
    role: str,
    secrets: Mapping[str, Any] | None,
) -> Any:
    """Return the parameters of a plugin with ``<% $scope.key %>`` filled in (stage 2).

    A string that is one reference and nothing else becomes the value itself, with its type.

    Args:
        parameters: The plugin's ``parameters`` in the job.
        document: The job.
        role: The task role, which chooses ``$script``, ``$output`` and ``$data``.
        secrets: The job's secrets.

    Raises:
        TemplateError: A reference has no value; PAI's runtime fails there too.
    """
    bound = document["taskRoles"][role]
    scope: dict[str, Any] = {"parameters": document.get("parameters"), "secrets": secrets}
    for kind in _BOUND:
        named = (
            item
            for item in document.get("prerequisites") or ()
            if item["type"] == kind and item["name"] == bound.get(kind)
        )
        scope[kind] = next(named, None)
    return _fill(parameters, scope)


def _fill(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, scope) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and "<%" not in whole.group(1):
        return _resolve(whole.group(1), scope)
    return _REFERENCE.sub(lambda match: js.text(_resolve(match.group(1), scope)), value)


def _resolve(reference: str, scope: Mapping[str, Any]) -> Any:
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
