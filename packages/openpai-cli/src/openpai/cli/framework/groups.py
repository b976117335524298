"""The click classes of ``opai``: its own commands, groups that load when used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from openpai.cli.exceptions import UsageProblem
from openpai.core.cli import CONTEXT_SETTINGS, Command

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "OUTPUT",
    "Command",
    "Lazy",
    "LazyGroup",
    "command",
    "unknown",
]

#: What commands write with ``-o json``.
OUTPUT = os.path.join(os.path.dirname(__file__), "output.schema.json")  # noqa: PTH118, PTH120


command = partial(click.command, cls=Command, output=OUTPUT)


class Lazy(NamedTuple):
    """A command that is imported when it is used.

    Attributes:
        target: ``module:attribute``.
        help: The one line that a group's help shows, equal to the command's own first line.
    """

    target: str
    help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found


class LazyGroup(click.Group):
    """A group that knows its commands by a table and imports the one that is used."""

    def __init__(self, name: str, table: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(name, context_settings=CONTEXT_SETTINGS, **kwargs)
        self.table = table

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or return ``None`` for an unknown name."""
        return self.table[cmd_name].load() if cmd_name in self.table else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, without importing them; after ``-`` the options."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=self.summary(ctx, name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]

    def summary(self, _ctx: click.Context, name: str) -> str:
        """Return one line about a command, without importing it."""
        return self.table[name].help

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        rows = [(name, self.summary(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the nearest names."""
        name = args[0]
        known = self.get_command(ctx, name) is not None
        if not known and not name.startswith("-") and not ctx.resilient_parsing:
            raise unknown("command", name, self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


def unknown(
    kind: str, name: str, known: Iterable[str], ctx: click.Context, hint: str = ""
) -> UsageProblem:
    """Return the error for a name that does not exist; without a hint it suggests the nearest."""
    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    suggestion = " or ".join(f"'{ctx.command_path} {other}'" for other in near)
    nearest = f"Did you mean {suggestion}?" if near else f"See: {ctx.command_path} --help"
    return UsageProblem(f"There is no {kind} '{name}'.", hint or nearest, ctx)
