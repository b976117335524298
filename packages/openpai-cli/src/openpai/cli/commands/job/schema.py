"""The command ``opai job schema``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "schema",
]


@command(
    "schema",
    help="Editors that support JSON Schema use it to complete and check job files.",
    examples="""
    opai job schema > job.schema.json
    # first line of a job file, for editors: # yaml-language-server: $schema=job.schema.json
    """,
)
@click.option(
    "-o",
    "--format",
    "format_",
    type=click.Choice(("json", "yaml")),
    default="json",
    help="Output format.  [default: json]",
)
@pass_app
def schema(app: CliApp, format_: str) -> None:
    from openpai.core.protocol import editor_schema

    app.emit(editor_schema(), columns=[], format=format_)
