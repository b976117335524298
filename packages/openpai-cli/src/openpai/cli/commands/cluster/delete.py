"""The command ``opai cluster delete``."""

from __future__ import annotations

import click

from openpai.cli.framework import completion as _complete
from openpai.cli.framework.app import CliApp, pass_app
from openpai.cli.framework.groups import command

__all__ = [
    "delete",
]


@command("delete", examples="opai cluster delete prod")
@click.argument("alias", shell_complete=_complete.clusters)
@pass_app
def delete(app: CliApp, alias: str) -> None:
    """Forget a cluster and its token."""
    from openpai.core.config.clusters import delete_cluster

    delete_cluster(alias)
    app.note(f"'{alias}' is forgotten.")
