"""The command ``opai local down``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "down",
]


@command("down", examples="opai local down\nopai local down --stop-jobs")
@click.option("--stop-jobs", is_flag=True, help="Stop every job first.")
@pass_app
def down(app: CliApp, stop_jobs: bool) -> None:
    """Stop the cluster on this machine.

    Only the server ends: tasks that run go on, and the next 'opai local up' takes them up again.
    """
    from openpai.core.local import daemon

    stopped = daemon.down(stop_jobs=stop_jobs)
    app.note("The local cluster is down.")
    if stopped.active_jobs:
        app.note(f"{stopped.active_jobs} jobs go on; 'opai local up' takes them up again.")
