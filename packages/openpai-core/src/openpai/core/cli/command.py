"""Commands of ``opai``, whichever distribution brings them: examples first, fields of JSON last.

Only what brings commands imports this; it takes click, which comes with ``opai``.
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
        examples: Command lines, one a line; ``#`` begins a remark.
        output: The JSON Schema file that says what commands write with ``-o json``; see
            :func:`fields_of`.
    """

    def __init__(self, *args: Any, examples: str = "", output: str = "", **kwargs: Any) -> None:
        kwargs["context_settings"] = {**CONTEXT_SETTINGS, **kwargs.get("context_settings", {})}
        super().__init__(*args, **kwargs)
        self.examples = [line.strip() for line in examples.strip().splitlines()]
        self.output = output

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
        if self.output and any("-o" in param.opts for param in self.params):
            fields = fields_of(ctx.command_path.partition(" ")[2], self.output)
            if fields:
                with formatter.section("Fields in JSON"):
                    formatter.write_text(", ".join(fields))
        super().format_epilog(ctx, formatter)


def output_schema(file: str) -> dict[str, Any]:
    """Return a JSON Schema; its ``$defs`` has each command that shows data, by its name."""
    import json

    with open(os.fspath(file), encoding="utf-8") as stream:  # noqa: PTH123 - help needs no pathlib
        found: dict[str, Any] = json.load(stream)
    return found


def fields_of(command: str, file: str) -> list[str]:
    """Return the keys of a command's objects; empty where they are not fixed.

    Args:
        command: Its name, without ``opai``.
        file: The schema.
    """
    every = output_schema(file)["$defs"]
    found = every.get(command, {})
    found = found.get("anyOf", [found])[0]
    found = found.get("items", found)
    if "$ref" in found:
        found = every[found["$ref"].rpartition("/")[2]]
    return list(found.get("properties", ()))
