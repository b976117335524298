"""Click options generated from the fields of a job spec, and the spec built from their values."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Callable, TypeVar

import click

from openpai.core.cli import completion
from openpai.core.cli.options import EXISTING_FILE, LOCAL_PATH
from openpai.core.protocol import JobSpec, Option

__all__ = ["build_spec", "spec_options"]

F = TypeVar("F", bound=Callable[..., Any])
Spec = TypeVar("Spec", bound=JobSpec)


def spec_options(spec: type[JobSpec], *names: str) -> Callable[[F], F]:
    """Return a decorator that adds the options of fields, in their order, to a command.

    Args:
        spec: The class of the spec.
        names: The fields; none: all that have an option.
    """
    settings = _settings(spec)

    def decorate(function: F) -> F:
        for name in reversed(names or list(settings)):
            setting = settings[name]
            if setting.also:
                function = _click_option(f"{name}_also", setting.also)(function)
            function = _click_option(name, setting)(function)
        return function

    return decorate


def build_spec(spec: type[Spec], values: dict[str, Any], **more: Any) -> Spec:
    """Return the spec of a command line; its values are removed from those of the command.

    Args:
        spec: The class of the spec.
        values: The values of all options of the command.
        more: Further fields of the spec.
    """
    given: dict[str, Any] = {}
    for item in fields(spec):
        if item.name not in values or item.name in more:
            continue
        value = values.pop(item.name)
        also = values.pop(f"{item.name}_also", None)
        value = also if value is None else value
        if value is not None:
            given[item.name] = dict(value) if _is_mapping(item) else value
    return spec(**given, **more)


def _settings(spec: type[JobSpec]) -> dict[str, Option]:
    return {f.name: f.metadata["option"] for f in fields(spec) if "option" in f.metadata}


def _is_mapping(item: Any) -> bool:
    return item.default_factory is dict


def _click_option(name: str, setting: Option) -> Callable[[F], F]:
    keywords: dict[str, Any] = {"help": setting.full_help, "multiple": setting.multiple}
    if setting.kind == "flag":
        is_switch = "/" in setting.names[0]
        keywords = {"help": setting.full_help, "default": None if is_switch else False}
        keywords["is_flag"] = True
    elif setting.kind == "number":
        keywords.update(type=click.IntRange(min=setting.minimum), metavar=setting.metavar or "N")
    elif setting.choices:
        keywords["type"] = click.Choice(setting.choices)
    elif setting.kind in ("file", "path"):
        keywords["type"] = EXISTING_FILE if setting.kind == "file" else LOCAL_PATH
    elif setting.parse:
        keywords["type"] = _parser(setting.parse)
    if setting.metavar:
        keywords["metavar"] = setting.metavar
    if setting.complete:
        keywords["shell_complete"] = getattr(completion, f"complete_{setting.complete}")
    return click.option(*setting.names, name, **keywords)


def _parser(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a click type that reads a text; a ``ConfigError`` keeps its hint."""

    def convert(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return convert
