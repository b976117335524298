"""The command ``opai job open``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, cluster_option, command, job_argument, pass_app

__all__ = [
    "open_",
]


@command("open", examples="opai job open train\nopai job open train --print")
@job_argument
@click.option("--print", "only_print", is_flag=True, help="Print the address only.")
@cluster_option
@pass_app
def open_(app: CliApp, job: str, only_print: bool, alias: str | None) -> None:
    """Open a job's page in the web portal.

    Without a terminal the address is printed and nothing is opened.
    """
    remote = app.cluster(alias).job(job)
    remote.status()
    app.console.data(remote.url)
    if not only_print and app.console.is_interactive:
        click.launch(remote.url)
