"""The command ``opai cluster delete``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, completion as _complete, pass_app

__all__ = [
    "delete",
]


@command("delete", examples="opai cluster delete prod")
@click.argument("alias", shell_complete=_complete.clusters)
@pass_app
def delete(app: CliApp, alias: str) -> None:
    """Forget a cluster and its token."""
    from openpai.core.config import delete_cluster

    delete_cluster(alias)
    app.note(f"'{alias}' is forgotten.")
