"""The command ``opai job open``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, job_argument

__all__ = [
    "open_",
]


@command(
    "open",
    help="Without a terminal the address is printed and nothing is opened.",
    examples="opai job open train\nopai job open train --print",
)
@job_argument
@click.option(
    "--print", "only_print", is_flag=True, help="Print the address; do not open a browser."
)
@cluster_option
@pass_app
def open_(app: CliApp, job: str, only_print: bool, alias: str | None) -> None:
    remote = app.cluster(alias).job(job)
    remote.status()
    app.console.print(remote.url)
    if not only_print and app.console.is_interactive:
        click.launch(remote.url)
