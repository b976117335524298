"""``opai job validate``, ``render``, ``schema`` and ``diff``: job files, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._console import visible
from openpai.cli._options import cluster_option, format_option

if TYPE_CHECKING:
    from openpai.core.protocol.job import Job
    from openpai.core.protocol.validation import FileVerdict

FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")
STRICT_HELP = "Refuse only what the server would refuse."


@command(
    "validate",
    examples="""
    opai job validate job.yaml
    opai job validate jobs/*.yaml -o json
    opai job config train | opai job validate -
    """,
)
@FILES
@click.option("--no-strict", is_flag=True, help=STRICT_HELP)
@format_option
@click.pass_context
@pass_app
def validate(
    app: CliApp, context: click.Context, /, files: tuple[str, ...], no_strict: bool, format_: str
) -> None:
    """Check job files without a cluster.

    Every problem is told at once, with line, column and what to do. The exit code is 0 if all
    files are right, else 2. FILE may be - for stdin.
    """
    from openpai.core.protocol.validation import check_file

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
        app.console.data(f"{visible(verdict.file)}: {paint('valid', 'green')}")
    for problem in verdict.errors:
        place = f":{problem.line}:{problem.column}" if problem.line else ""
        where = f" ({problem.path})" if problem.path else ""
        line = visible(f"{problem.message}{where}")
        app.console.data(f"{visible(verdict.file)}{place}: {paint('error:', 'red')} {line}")
        if problem.hint:
            app.console.data(f"    {paint('hint:', 'cyan')} {visible(problem.hint)}")


@command(
    "render",
    examples="""
    opai job render job.yaml
    opai job render job.yaml --role worker > worker.sh
    """,
)
@FILES
@click.option("--role", help="Only this task role.")
@format_option
@click.pass_context
@pass_app
def render(
    app: CliApp, context: click.Context, /, files: tuple[str, ...], role: str | None, format_: str
) -> None:
    """Show the scripts that the server makes.

    Parameters and prerequisites are filled in; $secrets are not: that happens in the container.
    The exit code is 2 if the server would not take one of the files.
    """
    from openpai.core.protocol.validation import render_file

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
            app.note(visible(f"{row['file']}{place}: {error['message']} {error['hint']}"))
        for name, script in row["taskRoles"].items():
            if many:
                title = f"# {row['file']}: task role {name}"
                app.console.data(app.console.paint_data(visible(title), "dim"))
            app.console.data(script)


def _only(role: str, row: dict[str, Any]) -> dict[str, str]:
    from openpai.cli._command import unknown

    scripts: dict[str, str] = row["taskRoles"]
    if role not in scripts:
        raise unknown("task role", role, scripts, click.get_current_context())
    return {role: scripts[role]}


@command(
    "schema",
    examples="""
    opai job schema > job.schema.json
    # first line of a job file, for editors: # yaml-language-server: $schema=job.schema.json
    """,
)
@click.option(
    "-o", "--format", "format_", type=click.Choice(("json", "yaml")), default="json", help="How."
)
@pass_app
def schema(app: CliApp, format_: str) -> None:
    """Print the JSON Schema of job files.

    Editors that know JSON Schema use it to complete and check jobs.
    """
    from openpai.core.protocol.schema import editor_schema

    app.emit(editor_schema(), columns=[], format=format_)


@command(
    "diff",
    examples="""
    opai job diff job.yaml other.yaml
    opai job diff job.yaml --job train -a prod
    """,
)
@click.argument("file")
@click.argument("other", required=False)
@click.option("--job", help="Compare with a job on a cluster: NAME or USER~NAME.")
@cluster_option
@format_option
@click.pass_context
@pass_app
def diff(
    app: CliApp,
    context: click.Context,
    /,
    *,
    file: str,
    other: str | None,
    job: str | None,
    alias: str | None,
    format_: str,
) -> None:
    """Compare a job file with another or with a job.

    Values are compared, not texts. The exit code is 0 if nothing differs, else 1.
    """
    from openpai.cli._command import UsageProblem
    from openpai.core.protocol.diff import changes

    if (other is None) == (job is None):
        raise UsageProblem("One job is compared with one other.", "opai job diff FILE FILE")
    second = _read(other) if other else app.cluster(alias).job(job or "").config()
    found = changes(_read(file).document, second.document)
    if format_ == "table":
        for change in found:
            _show(app, change.to_dict())
    else:
        rows = [change.to_dict() for change in found]
        app.emit(rows, columns=[("PATH", "path")], format=format_)
    context.exit(1 if found else 0)


def _show(app: CliApp, change: dict[str, Any]) -> None:
    from openpai.core.protocol.job_yaml import dump_yaml

    app.console.data(app.console.paint_data(visible(change["path"]), "bold"))
    for key, sign, style in (("before", "-", "red"), ("after", "+", "green")):
        if key in change:
            value = change[key]
            text = value if isinstance(value, str) else dump_yaml(value)
            for line in text.rstrip("\n").split("\n"):
                app.console.data(app.console.paint_data(visible(f"{sign} {line}"), style))


def _read(path: str) -> Job:
    from openpai.core.protocol.job import Job

    return Job.from_file(Path(path))
