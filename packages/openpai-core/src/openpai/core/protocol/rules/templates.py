"""Commands: tags that stay or vanish, and characters that change on the way."""

from __future__ import annotations

import re
from typing import Any, Iterator

from openpai.core.protocol import js
from openpai.core.protocol.messages import Finding
from openpai.core.protocol.rules.rule import JobView, rule
from openpai.core.protocol.templates import TemplateError, parse
from openpai.core.suggestions import did_you_mean

__all__ = ["template_syntax"]

_SCOPES = {"$parameters": "parameter", "$secrets": "secret"}
_BOUND = ("data", "script", "output")
_DOLLARS = re.compile(r"(?<!\$)\$\$(?!\$)")


@rule(
    "broken tags",
    "a `<%` that is not closed, a section that is not closed",
    "500",
)
def template_syntax(case: JobView) -> Iterator[Finding]:
    """Find commands and credentials whose templates cannot be read."""
    for _, path, text in case.commands():
        try:
            list(parse(text))
        except TemplateError as error:
            hint = "Close it with '%>'; to write '<%' itself, write \"<''%\"."
            yield Finding(path, f"The template language cannot read this command: {error}.", hint)
    for index, item in case.items("prerequisites"):
        auth = item.get("auth")
        for key, value in auth.items() if isinstance(auth, dict) else ():
            if value and not isinstance(value, str):
                message = f"'{key}' in 'auth' must be a string."
                yield Finding(("prerequisites", index, "auth", key), message, "Quote it.")


@rule(
    "tags without a value",
    "a tag that names nothing, or null",
    "accepted; the tag stays in the script, where bash stumbles over it",
)
def _unresolved(case: JobView) -> Iterator[Finding]:
    for role, path, kind, name in _tags(case):
        if kind == "name":
            message, hint = _unresolved_tag(case, role, name)
            if message:
                yield Finding(path, message, hint)


def shown_tag(name: str, kind: str = "") -> str:
    """Return a tag as it may be written, shortened."""
    return f"<%{kind} {name[:60]}{'…' if len(name) > 60 else ''} %>"


def _tags(case: JobView) -> Iterator[tuple[str | None, tuple[Any, ...], str, str]]:
    """Yield (task role or ``None`` for credentials, path, kind, name) of every tag."""
    texts: list[tuple[str | None, tuple[Any, ...], str]] = list(case.commands())
    for index, item in case.items("prerequisites"):
        auth = item.get("auth")
        for key, value in auth.items() if isinstance(auth, dict) else ():
            if isinstance(value, str):
                texts.append((None, ("prerequisites", index, "auth", key), value))
    for role, path, text in texts:
        if "<%" in text:
            try:
                tokens = list(parse(text))
            except TemplateError:
                continue
            yield from ((role, path, kind, name) for kind, name in tokens)


def _unresolved_tag(case: JobView, role: str | None, name: str) -> tuple[str, str]:
    """Return (message, hint) for a tag whose value is missing, else two empty texts."""
    scope, *steps = name.split(".")
    tag = shown_tag(name)
    if role is None and scope != "$secrets":
        return f"{tag} has no value here: credentials know $secrets only.", ""
    if scope in _SCOPES:
        return _lookup(case.mapping(scope[1:]), steps, tag, _SCOPES[scope])
    if scope[1:] in _BOUND and scope.startswith("$"):
        item = _bound(case, role, scope[1:])
        if item is None:
            hint = f"Give the role a '{scope[1:]}:' with the name of a prerequisite of that type."
            return f"{tag} has no value: task role '{role}' binds no {scope[1:]}.", hint
        return _lookup(item, steps, tag, f"key of {scope[1:]} '{item.get('name')}'")
    known = ("$parameters", "$secrets", *(f"${kind}" for kind in _BOUND))
    hint = did_you_mean(scope, known)
    return f"{tag} is not a tag of the template language, and stays as it is.", hint


def _bound(case: JobView, role: str | None, kind: str) -> dict[str, Any] | None:
    bound = case.mapping("taskRoles").get(str(role))
    name = bound.get(kind) if isinstance(bound, dict) else None
    for _, item in case.items("prerequisites"):
        if item.get("type") == kind and item.get("name") == name:
            return item
    return None


def _lookup(value: Any, steps: list[str], tag: str, what: str) -> tuple[str, str]:
    for step in steps:
        found = js.member(value, step) if value is not None else js.UNDEFINED
        if found is js.UNDEFINED:
            known = list(value) if isinstance(value, dict) else []
            hint = did_you_mean(step, known)
            if not hint and known:
                hint = f"There is: {', '.join(known[:8])}."
            return f"{tag} has no value: there is no {what} '{step}'.", hint
        value = found
    if value is None:
        return f"{tag} has no value: it is null.", "Give it a value."
    return "", ""


@rule(
    "values that are not strings",
    "a tag whose value is a mapping or an unquoted date",
    "accepted; the script gets `[object Object]`, or the date as JavaScript writes it",
)
def _odd_values(case: JobView) -> Iterator[Finding]:
    for role, path, kind, name in _tags(case):
        if kind != "name":
            continue
        scope, *steps = name.split(".")
        value: Any = case.mapping(scope[1:]) if scope in _SCOPES else _bound(case, role, scope[1:])
        if value is None or _lookup(value, steps, "", "")[0]:
            continue
        for step in steps:
            value = js.member(value, step)
        if isinstance(value, dict) or (isinstance(value, list) and any(map(_is_mapping, value))):
            message = f"{shown_tag(name)} would be written as [object Object]."
            yield Finding(path, message, "Name a key of it.")
        elif isinstance(value, js.Timestamp):
            message = f"{shown_tag(name)} would be written as '{value}'."
            yield Finding(path, message, f"Quote the date: '{value.source}'")


def _is_mapping(value: Any) -> bool:
    return isinstance(value, (dict, js.Timestamp))


@rule(
    "dropped tags",
    "sections, comments and other special tags of mustache",
    "accepted; they vanish from the script, sections with everything in them",
)
def _dropped(case: JobView) -> Iterator[Finding]:
    for _, path, kind, name in _tags(case):
        if kind not in ("name", "text", "/"):
            message = f"The server drops '{shown_tag(name, kind)}' from the command."
            hint = "To write '<%' itself, write \"<''%\"."
            yield Finding(path, message, hint)


@rule(
    "$$",
    "`$$` in a command",
    "accepted; Kubernetes makes one `$` of it on the way to the container",
)
def _dollars(case: JobView) -> Iterator[Finding]:
    for _, path, text in case.commands():
        if _DOLLARS.search(text):
            message = "Kubernetes makes '$' of '$$' on the way to the container."
            yield Finding(path, message, "For the shell's process id write ${$}.")
