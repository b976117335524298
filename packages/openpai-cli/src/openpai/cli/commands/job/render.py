"""The command ``opai job render``."""

from __future__ import annotations

from typing import Any

import click

from openpai.cli.commands.job.validate import FILES
from openpai.cli.framework import CliApp, command, pass_app
from openpai.cli.ui import escape_control
from openpai.core.cli import format_option

__all__ = [
    "render",
]


@command(
    "render",
    help="""
    Parameters and prerequisites are filled in; $secrets are not: that happens in the container.
    The exit code is 2 if the server would reject one of the files.
    """,
    examples="""
    opai job render job.yaml
    opai job render job.yaml --role worker > worker.sh
    """,
)
@FILES
@click.option("--role", help="Only the script of this task role.")
@format_option
@click.pass_context
@pass_app
def render(
    app: CliApp, context: click.Context, /, files: tuple[str, ...], role: str | None, format_: str
) -> None:
    from openpai.core.protocol import render_file

    rows = [render_file(file) for file in files]
    for row in rows:
        if role is not None and "errors" not in row:
            row["taskRoles"] = _only(role, row)
    if format_ == "table":
        _print_scripts(app, rows)
    else:
        app.emit(rows, columns=[("FILE", "file")], format=format_)
    context.exit(2 if any("errors" in row for row in rows) else 0)


def _print_scripts(app: CliApp, rows: list[dict[str, Any]]) -> None:
    many = sum(len(row["taskRoles"]) for row in rows) > 1
    for row in rows:
        for error in row.get("errors", ()):
            place = f":{error['line']}:{error['column']}" if error["line"] else ""
            app.note(escape_control(f"{row['file']}{place}: {error['message']} {error['hint']}"))
        for name, script in row["taskRoles"].items():
            if many:
                title = f"# {row['file']}: task role {name}"
                app.console.print(app.console.paint_data(escape_control(title), "dim"))
            app.console.print(script)


def _only(role: str, row: dict[str, Any]) -> dict[str, str]:
    from openpai.cli.framework import unknown

    scripts: dict[str, str] = row["taskRoles"]
    if role not in scripts:
        raise unknown("task role", role, scripts, click.get_current_context())
    return {role: scripts[role]}
