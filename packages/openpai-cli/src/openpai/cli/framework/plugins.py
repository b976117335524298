"""Commands that other distributions contribute, and programs named ``opai-NAME``.

A distribution offers one by an entry point of the group ``openpai.commands``: the command's name →
a click command. A broken one costs a line of warning and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from openpai.core.entry_points import EntryPoint

__all__ = ["contributed", "load", "missing", "summary"]

#: Commands that belong to `opai` but come in their own distribution.
_DISTRIBUTIONS = {"storage": "openpai-storage", "notebook": "openpai-notebook"}


@cache
def contributed() -> Mapping[str, EntryPoint]:
    """Return what installed distributions offer, by command name."""
    from openpai.core.entry_points import entry_points

    return entry_points("openpai.commands")


@cache
def load(name: str) -> click.Command | None:
    """Import a contributed command, or wrap a program ``opai-NAME`` of ``$PATH``."""
    offered = contributed().get(name)
    if offered is None:
        return _program(name)
    try:
        found = offered.load()
        if not isinstance(found, click.Command):
            raise TypeError(f"{offered.value} is not a click command")
    except Exception as error:  # whatever a foreign module does when imported
        _warn(f"the command '{name}' of {offered.distribution} is broken: {error}")
        return None
    return found


def summary(name: str) -> str:
    """Return one line about a contributed command."""
    command = load(name)
    return command.get_short_help_str(limit=100) if command else "(broken)"


def missing(name: str) -> str:
    """Return what to install for a command that would exist, or an empty text."""
    if name not in _DISTRIBUTIONS or name in contributed():
        return ""
    return f"Run: pip install {_DISTRIBUTIONS[name]}"


def _program(name: str) -> click.Command | None:
    """Wrap ``opai-NAME``; options such as ``--help`` are the program's own."""
    if not name.replace("-", "").replace("_", "").isalnum():
        return None
    import shutil

    path = shutil.which(f"opai-{name}")
    if path is None:
        return None

    @click.command(name, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        """Run a program of $PATH."""
        sys.stdout.flush()
        os.execv(path, [path, *arguments])  # noqa: S606 - the user's own program, no shell

    return run


def _warn(text: str) -> None:
    sys.stderr.write(f"opai: warning: {text}\n")
