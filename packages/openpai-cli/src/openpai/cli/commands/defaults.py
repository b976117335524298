"""``opai set`` and ``opai unset``: values used where an option is not given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import complete_default_keys, format_option

COLUMNS = [("KEY", "key"), ("VALUE", "value"), ("FROM", "origin"), ("FOR", "help")]
#: Keys that a variable of the environment sets, too.
VARIABLES = {"cluster-alias": "OPENPAI_CLUSTER"}
_PAIR = re.compile(r"([A-Za-z][A-Za-z-]*?)(\+=|-=|=)(.*)", re.DOTALL)

global_option = click.option(
    "-g",
    "--global",
    "for_user",
    is_flag=True,
    help="Store for all folders, in ~/.openpai.",
)


@command(
    "set",
    help="""
    Precedence: option, environment variable, ./.openpai/defaults.yaml,
    ~/.openpai/defaults.yaml.
    """,
    examples="""
    opai set                                  # what is in force, and where it comes from
    opai set --show-origin                    # what each layer says
    opai set image=python:3.11 gpu=1          # in this folder
    opai set -g virtual-cluster=research      # everywhere
    opai set sources+=src sources-=old        # lists
    """,
)
@global_option
@click.option(
    "--show-origin", is_flag=True, help="Show the values of every layer, highest precedence first."
)
@format_option
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
@pass_app
def set_(
    app: CliApp, for_user: bool, show_origin: bool, format_: str, pairs: tuple[str, ...]
) -> None:
    changes = [_parse(pair) for pair in pairs]
    for key, operator, value in changes:
        _change(key, operator, value, in_folder=not for_user)
    if show_origin or not changes:
        rows = _every_layer() if show_origin else _in_force()
        app.emit(rows, columns=COLUMNS, format=format_)


@command("unset", examples="opai unset image\nopai unset -g virtual-cluster")
@global_option
@click.argument("keys", nargs=-1, required=True, shell_complete=complete_default_keys)
@pass_app
def unset(app: CliApp, for_user: bool, keys: tuple[str, ...]) -> None:
    from openpai.core.config import unset_default

    for key in keys:
        if not unset_default(key, in_folder=not for_user):
            where = "for all folders" if for_user else "in this folder"
            app.note(f"'{key}' was not set {where}.")


def _parse(pair: str) -> tuple[str, str, str]:
    match = _PAIR.fullmatch(pair)
    if match is None:
        raise UsageError(f"invalid setting '{pair}'", "Write KEY=VALUE, KEY+=VALUE or KEY-=VALUE.")
    key, operator, value = match.groups()
    return key, operator, value


def _change(key: str, operator: str, value: str, *, in_folder: bool) -> None:
    from openpai.core.config import default_for_user, set_default

    if operator == "=":
        set_default(key, value, in_folder=in_folder)
        return
    before = default_for_user(key, in_folder=in_folder)
    if not isinstance(before, list):
        raise UsageError(f"'{key}' holds one value, not a list.", f"Write {key}=VALUE.")
    rest = [item for item in before if item != value]
    set_default(key, [*rest, value] if operator == "+=" else rest, in_folder=in_folder)


def _in_force() -> list[dict[str, Any]]:
    """Return each key with the value that is used."""
    from openpai.core.config import KEYS, load_defaults

    defaults = load_defaults()
    values = {**defaults.values, **dict(_environment())}
    origins = {**defaults.origins, **{key: f"${VARIABLES[key]}" for key, _ in _environment()}}
    return [_row(key, values[key], origins[key]) for key in KEYS]


def _every_layer() -> list[dict[str, Any]]:
    """Return what each layer says of each key, the strongest first; those of a list add up."""
    from openpai.core.config import KEYS, load_layers

    said = [(key, value, f"${VARIABLES[key]}") for key, value in _environment()]
    for origin, layer in reversed(load_layers()):
        said += [(key, value, origin) for key, value in layer.items()]
    return [_row(*one) for key in KEYS for one in said if one[0] == key]


def _environment() -> Iterator[tuple[str, str]]:
    for key, variable in VARIABLES.items():
        if os.environ.get(variable):
            yield key, os.environ[variable]


def _row(key: str, value: Any, origin: str) -> dict[str, Any]:
    from openpai.core.config import KEYS

    return {"key": key, "value": value, "origin": origin, "help": KEYS[key].help}
