"""``opai job validate``, ``render``, ``schema`` and ``diff``: job files, without a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openpai.cli.commands.job._submission_options import no_strict_option
from openpai.cli.framework import CliApp, command, pass_app
from openpai.cli.ui import escape_control
from openpai.core.cli import format_option

if TYPE_CHECKING:
    from openpai.core.protocol import FileVerdict

FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")


@command(
    "validate",
    help="""
    Reports all problems at once, with line, column and a hint. The exit code is 0 if all files
    are valid, else 2. FILE may be - for stdin.
    """,
    examples="""
    opai job validate job.yaml
    opai job validate jobs/*.yaml -o json
    opai job config train | opai job validate -
    """,
)
@FILES
@no_strict_option
@format_option
@click.pass_context
@pass_app
def validate(
    app: CliApp, context: click.Context, /, files: tuple[str, ...], no_strict: bool, format_: str
) -> None:
    from openpai.core.protocol import check_file

    verdicts = [check_file(file, strict=not no_strict) for file in files]
    if format_ == "table":
        for verdict in verdicts:
            _tell(app, verdict)
    else:
        rows = [verdict.to_dict() for verdict in verdicts]
        app.emit(rows, columns=[("FILE", "file")], format=format_)
    context.exit(0 if all(verdict.valid for verdict in verdicts) else 2)


def _tell(app: CliApp, verdict: FileVerdict) -> None:
    paint = app.console.paint_data
    if verdict.valid:
        app.console.print(f"{escape_control(verdict.file)}: {paint('valid', 'green')}")
    for problem in verdict.errors:
        place = f":{problem.line}:{problem.column}" if problem.line else ""
        where = f" ({problem.path})" if problem.path else ""
        line = escape_control(f"{problem.message}{where}")
        app.console.print(f"{escape_control(verdict.file)}{place}: {paint('error:', 'red')} {line}")
        if problem.hint:
            app.console.print(f"    {paint('hint:', 'cyan')} {escape_control(problem.hint)}")
