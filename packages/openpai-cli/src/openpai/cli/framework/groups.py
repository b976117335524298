"""Lazy command groups, and the error for unknown names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from openpai.cli.exceptions import UsageError
from openpai.core.cli import CONTEXT_SETTINGS, Command
from openpai.core.suggestions import nearest_words

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "OUTPUT",
    "Command",
    "LazyCommand",
    "LazyGroup",
    "command",
    "lazy_commands",
    "unknown",
]

#: JSON Schema of the output with ``-o json``.
OUTPUT = os.path.join(os.path.dirname(__file__), "output.schema.json")  # noqa: PTH118, PTH120


command = partial(click.command, cls=Command, output=OUTPUT)


class LazyCommand(NamedTuple):
    """A command that is imported when it is used.

    Attributes:
        module: The module that holds it.
        name: The command's name.
        help: The first line of its help, and its line in the group's help.
    """

    module: str
    name: str
    help: str

    def load(self) -> Command:
        """Import the command."""
        members = vars(import_module(self.module)).values()
        command = next(m for m in members if isinstance(m, Command) and m.name == self.name)
        command.summary = self.help
        return command


def lazy_commands(package: str, lines: Mapping[str, str]) -> dict[str, LazyCommand]:
    """Return the commands of a folder: the module ``package.NAME`` holds the command ``NAME``.

    Args:
        package: The folder's package.
        lines: The command's name → the first line of its help.
    """
    return {name: LazyCommand(f"{package}.{name}", name, line) for name, line in lines.items()}


class LazyGroup(click.Group):
    """A group with a table of commands, which imports only the one that is used."""

    def __init__(self, name: str, table: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(name, context_settings=CONTEXT_SETTINGS, **kwargs)
        self.table = table

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or return ``None`` for an unknown name."""
        return self.table[cmd_name].load() if cmd_name in self.table else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return matching commands without importing them, or options after ``-``."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=self.summary(ctx, name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]

    def summary(self, _ctx: click.Context, name: str) -> str:
        """Return a command's help line, without importing it."""
        return self.table[name].help

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing them."""
        rows = [(name, self.summary(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest the nearest names if it does not exist."""
        name = args[0]
        known = self.get_command(ctx, name) is not None
        if not known and not name.startswith("-") and not ctx.resilient_parsing:
            raise unknown("command", name, self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


def unknown(
    kind: str, name: str, known: Iterable[str], ctx: click.Context, hint: str = ""
) -> UsageError:
    """Return the error for an unknown name; without a hint it suggests the nearest names."""
    near = nearest_words(name, known, 3)
    suggestion = " or ".join(f"'{ctx.command_path} {other}'" for other in near)
    nearest = f"Did you mean {suggestion}?" if near else f"See: {ctx.command_path} --help"
    return UsageError(f"Unknown {kind} '{name}'.", hint or nearest, ctx)
