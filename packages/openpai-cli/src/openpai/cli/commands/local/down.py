"""The command ``opai local down``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "down",
]


@command(
    "down",
    help="""
    Only the server ends: running tasks continue, and the next 'opai local up' reconnects to
    them.
    """,
    examples="opai local down\nopai local down --stop-jobs",
)
@click.option("--stop-jobs", is_flag=True, help="Stop all jobs first.")
@pass_app
def down(app: CliApp, stop_jobs: bool) -> None:
    from openpai.core.local import daemon

    stopped = daemon.down(stop_jobs=stop_jobs)
    app.note("The local cluster is down.")
    if stopped.active_jobs:
        app.note(
            f"{stopped.active_jobs} jobs are still running; 'opai local up' reconnects to them."
        )
