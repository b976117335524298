"""The command ``opai sweep resume``."""

from __future__ import annotations

import click

from openpai.cli.commands.sweep._sweep import _report, open_sweep, sweep_argument
from openpai.cli.framework import CliApp, command, parallel_option, pass_app
from openpai.core.cli import cluster_option, format_option

__all__ = [
    "resume",
]


@command(
    "resume",
    help="""
    Continues from the state on the cluster: nothing is submitted twice. Job and code are those
    that the sweep was created with.
    """,
    examples="opai sweep resume train\nopai sweep resume train --max-parallel 8",
)
@sweep_argument
@parallel_option
@cluster_option
@format_option
@click.pass_context
@pass_app
def resume(
    app: CliApp,
    context: click.Context,
    /,
    *,
    sweep: str,
    max_parallel: int | None,
    alias: str | None,
    format_: str,
) -> None:
    from openpai.cli.commands.sweep._sweep import send

    found = open_sweep(app, sweep, alias)
    if max_parallel:
        found.set_max_parallel(max_parallel)
    total = len(found.jobs())
    rows = send(app, found, total, lambda count: found.submit(on_outcome=count))
    _report(app, context, rows, format_)
