"""The command ``opai job diff``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.cli.ui import escape_control
from openpai.core.cli import cluster_option, format_option

if TYPE_CHECKING:
    from openpai.core.protocol import Job

__all__ = [
    "diff",
]


@command(
    "diff",
    help="Compares values, not text. The exit code is 0 if they are equal, else 1.",
    examples="""
    opai job diff job.yaml other.yaml
    opai job diff job.yaml --job train -a prod
    """,
)
@click.argument("file")
@click.argument("other", required=False)
@click.option("--job", help="Job on a cluster to compare with: NAME or USER~NAME.")
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
    from openpai.cli.exceptions import UsageError
    from openpai.core.protocol import changes

    if (other is None) == (job is None):
        raise UsageError("Two jobs are needed.", "opai job diff FILE FILE")
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
    from openpai.core.protocol import dump_yaml

    app.console.print(app.console.paint_data(escape_control(change["path"]), "bold"))
    for key, sign, style in (("before", "-", "red"), ("after", "+", "green")):
        if key in change:
            value = change[key]
            text = value if isinstance(value, str) else dump_yaml(value)
            for line in text.rstrip("\n").split("\n"):
                app.console.print(app.console.paint_data(escape_control(f"{sign} {line}"), style))


def _read(path: str) -> Job:
    from openpai.core.protocol import Job

    return Job.from_file(Path(path))
