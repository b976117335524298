"""``opai job config``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, cluster_option, command, job_argument, pass_app

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
    from openpai.core.protocol import dump_yaml

    document = app.cluster(alias).job(job).config().to_dict()
    if format_ == "json":
        app.emit(document, columns=[], format=format_)
    else:
        app.console.data(dump_yaml(document).rstrip("\n"))
