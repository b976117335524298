"""The command ``opai sweep stop``."""

from __future__ import annotations

import click

from openpai.cli.commands.sweep._sweep import _outcome, _report, open_sweep, sweep_argument
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app, yes_option
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "stop",
]


@command(
    "stop",
    help="""
    'opai sweep resume' submits the rest after all; 'opai sweep rerun --state STOPPED' reruns
    stopped jobs.
    """,
    examples="opai sweep stop train\nopai sweep stop train --yes",
)
@sweep_argument
@yes_option
@cluster_option
@format_option
@click.pass_context
@pass_app
def stop(
    app: CliApp,
    context: click.Context,
    /,
    *,
    sweep: str,
    yes: bool,
    alias: str | None,
    format_: str,
) -> None:
    found = open_sweep(app, sweep, alias)
    going = [job for job in found.jobs() if job.is_active or job.state is None]
    if going and not yes and not app.confirm(f"Stop these {len(going)} jobs of '{found.name}'?"):
        raise UsageError("Nothing was stopped.", "Answer yes, or use --yes.")
    _report(app, context, map(_outcome, found.stop()), format_)
    if not going:
        app.note(f"'{found.name}' has no active jobs.")
