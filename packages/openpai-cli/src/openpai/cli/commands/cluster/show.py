"""The command ``opai cluster show``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import complete_clusters, format_option

__all__ = [
    "show",
]


@command(
    "show",
    help="The keys are those of clusters.yaml; passwords and tokens are left out.",
    examples="opai cluster show\nopai cluster show prod -o json",
)
@click.argument("alias", required=False, shell_complete=complete_clusters)
@format_option
@pass_app
def show(app: CliApp, alias: str | None, format_: str) -> None:
    from openpai.core.config import find_cluster

    settings = find_cluster(alias).to_settings()
    columns = [(key, key) for key in settings]
    app.emit(settings, columns=columns, format=format_)
