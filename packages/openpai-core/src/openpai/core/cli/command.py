"""The click command class of ``opai``: help with examples first and JSON fields last.

Needs click, which ``openpai-cli`` brings; only command modules import this.
"""

from __future__ import annotations

import os
from typing import Any

import click

__all__ = ["CONTEXT_SETTINGS", "Command", "fields_of", "output_schema"]

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command whose help begins with examples.

    Args:
        examples: Command lines, one a line; ``#`` begins a comment.
        output: The JSON Schema file of the output with ``-o json``; see :func:`fields_of`.

    Attributes:
        summary: First paragraph of the help, where a group's table of commands has it instead of
            the docstring.
    """

    summary = ""

    def __init__(self, *args: Any, examples: str = "", output: str = "", **kwargs: Any) -> None:
        kwargs["context_settings"] = {**CONTEXT_SETTINGS, **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        self.examples = [line.strip() for line in examples.strip().splitlines()]
        self.output = output

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then click's help."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(" " * formatter.current_indent + line + "\n")
            formatter.write_paragraph()
        super().format_help(ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summary before the rest of the text."""
        if self.summary:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(self.summary)
        super().format_help_text(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the fields of the output with ``-o json``."""
        if self.output and any("-o" in param.opts for param in self.params):
            fields = fields_of(ctx.command_path.partition(" ")[2], self.output)
            if fields:
                with formatter.section("Fields in JSON"):
                    formatter.write_text(", ".join(fields))
        super().format_epilog(ctx, formatter)


def output_schema(file: str) -> dict[str, Any]:
    """Return a JSON Schema; ``$defs`` has an entry for each command that shows data."""
    import json

    with open(os.fspath(file), encoding="utf-8") as stream:  # noqa: PTH123 - help needs no pathlib
        schema: dict[str, Any] = json.load(stream)
    return schema


def fields_of(command: str, file: str) -> list[str]:
    """Return the keys of a command's output objects; empty if they are not fixed.

    Args:
        command: The command's name, without ``opai``.
        file: The schema file.
    """
    definitions = output_schema(file)["$defs"]
    schema = definitions.get(command, {})
    schema = schema.get("anyOf", [schema])[0]
    schema = schema.get("items", schema)
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return list(schema.get("properties", ()))
