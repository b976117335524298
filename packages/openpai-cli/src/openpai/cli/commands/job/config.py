"""``opai job config``."""

from __future__ import annotations

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._options import cluster_option, job_argument

FORMAT = click.Choice(("yaml", "json"))


@command("config", examples="opai job config train > train.yaml")
@job_argument
@click.option("-o", "--format", "format_", type=FORMAT, default="yaml", help="How to write it.")
@cluster_option
@pass_app
def config(app: CliApp, job: str, format_: str, alias: str | None) -> None:
    """Print the job file a job was submitted with.

    The server keeps neither comments nor secrets: where the job had secrets it says ******.
    """
    description = app.cluster(alias).job(job).config()
    if format_ == "json":
        app.emit(description.to_dict(), columns=[], format=format_)
    else:
        app.console.data(description.to_yaml().rstrip("\n"))
