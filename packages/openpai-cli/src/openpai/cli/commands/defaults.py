"""``opai set`` and ``opai unset``: values used where an option is not given."""

from __future__ import annotations

import re

import click

from openpai.cli import _complete
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import format_option

COLUMNS = [("KEY", "key"), ("VALUE", "value"), ("FROM", "origin"), ("FOR", "help")]
_PAIR = re.compile(r"([A-Za-z][A-Za-z-]*?)(\+=|-=|=)(.*)", re.DOTALL)

global_option = click.option(
    "-g",
    "--global",
    "for_user",
    is_flag=True,
    help="For every folder, in ~/.openpai.",
)


@command(
    "set",
    examples="""
    opai set                                  # what is in force, and where it comes from
    opai set image=python:3.11 gpu=1          # in this folder
    opai set -g virtual-cluster=research      # everywhere
    opai set sources+=src sources-=old        # lists
    """,
)
@global_option
@format_option
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
@pass_app
def set_(app: CliApp, for_user: bool, format_: str, pairs: tuple[str, ...]) -> None:
    """Set default values of options, or list them.

    An option on the command line is stronger than an environment variable, that is stronger than
    ./.openpai/defaults.yaml, and that is stronger than ~/.openpai/defaults.yaml.
    """
    changes = [_parse(pair) for pair in pairs]
    for key, operator, value in changes:
        _change(key, operator, value, in_folder=not for_user)
    if not changes:
        app.emit(_in_force(), columns=COLUMNS, format=format_)


@command("unset", examples="opai unset image\nopai unset -g virtual-cluster")
@global_option
@click.argument("keys", nargs=-1, required=True, shell_complete=_complete.default_keys)
@pass_app
def unset(app: CliApp, for_user: bool, keys: tuple[str, ...]) -> None:
    """Remove default values of options."""
    from openpai.core.config.defaults import unset_default

    for key in keys:
        if not unset_default(key, in_folder=not for_user):
            where = "for all folders" if for_user else "in this folder"
            app.note(f"'{key}' was not set {where}.")


def _parse(pair: str) -> tuple[str, str, str]:
    match = _PAIR.fullmatch(pair)
    if match is None:
        raise UsageProblem(f"'{pair}' sets nothing.", "Write KEY=VALUE, KEY+=VALUE or KEY-=VALUE.")
    key, operator, value = match.groups()
    return key, operator, value


def _change(key: str, operator: str, value: str, *, in_folder: bool) -> None:
    from openpai.core.config.defaults import own_default, set_default

    if operator == "=":
        set_default(key, value, in_folder=in_folder)
        return
    before = own_default(key, in_folder=in_folder)
    if not isinstance(before, list):
        raise UsageProblem(f"'{key}' holds one value, not a list.", f"Write {key}=VALUE.")
    rest = [item for item in before if item != value]
    set_default(key, [*rest, value] if operator == "+=" else rest, in_folder=in_folder)


def _in_force() -> list[dict[str, object]]:
    from openpai.core.config.defaults import KEYS, load_defaults

    defaults = load_defaults()
    values, origins = defaults.values, defaults.origins
    return [
        {"key": key, "value": values[key], "origin": origins[key], "help": about.help}
        for key, about in KEYS.items()
    ]
