"""The command ``opai cluster show``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, completion as _complete, format_option, pass_app

__all__ = [
    "show",
]


@command("show", examples="opai cluster show\nopai cluster show prod -o json")
@click.argument("alias", required=False, shell_complete=_complete.clusters)
@format_option
@pass_app
def show(app: CliApp, alias: str | None, format_: str) -> None:
    """Show what is stored of a cluster.

    The keys are those of clusters.yaml; passwords and tokens are left out.
    """
    from openpai.core.config import find_cluster

    settings = find_cluster(alias).to_settings()
    columns = [(key, key) for key in settings]
    app.emit(settings, columns=columns, format=format_)
