"""The click classes of ``opai``: commands that show examples, groups that load when used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["Command", "Lazy", "LazyGroup", "UsageProblem", "command", "unknown"]

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class UsageProblem(click.UsageError):
    """A wrong command line, and what to write instead.

    Attributes:
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str, ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.hint = hint


class Command(click.Command):
    """A command whose help begins with examples.

    Args:
        examples: Command lines, one a line; ``#`` begins a remark.
    """

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        kwargs["context_settings"] = {**CONTEXT_SETTINGS, **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        self.examples = [line.strip() for line in examples.strip().splitlines()]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then what click writes."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(" " * formatter.current_indent + line + "\n")
            formatter.write_paragraph()
        super().format_help(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the fields that ``-o json`` has."""
        if any(param.name == "format_" for param in self.params):
            from openpai.cli._fields import fields_of

            fields = fields_of(ctx.command_path.partition(" ")[2])
            if fields:
                with formatter.section("Fields in JSON"):
                    formatter.write_text(", ".join(fields))
        super().format_epilog(ctx, formatter)


command = partial(click.command, cls=Command)


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
