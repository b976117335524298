"""``opai job config``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, job_argument

FORMAT = click.Choice(("yaml", "json"))


@command(
    "config",
    help="The server keeps neither comments nor secrets; secrets are shown as ******.",
    examples="opai job config train > train.yaml",
)
@job_argument
@click.option(
    "-o", "--format", "format_", type=FORMAT, default="yaml", help="Output format.  [default: yaml]"
)
@cluster_option
@pass_app
def config(app: CliApp, job: str, format_: str, alias: str | None) -> None:
    from openpai.core.protocol import dump_yaml

    document = app.cluster(alias).job(job).config().to_dict()
    if format_ == "json":
        app.emit(document, columns=[], format=format_)
    else:
        app.console.print(dump_yaml(document).rstrip("\n"))
