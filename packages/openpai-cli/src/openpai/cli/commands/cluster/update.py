"""The command ``opai cluster update``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from openpai.cli.commands.cluster._server_info import capability_lines, server_line, warnings
from openpai.cli.framework import CliApp, command, pass_app

if TYPE_CHECKING:
    from openpai.core.config import ClusterEntry

__all__ = [
    "update",
]


@command(
    "update",
    help="""
    Updates the stored address, version and login method of every cluster, and prints what it
    offers. A cluster that does not answer is reported, and its stored information is kept.
    """,
    examples="opai cluster update",
)
@click.pass_context
@pass_app
def update(app: CliApp, context: click.Context) -> None:
    from openpai.cli.framework import report_for
    from openpai.core.config import load_clusters
    from openpai.core.errors import OpenPaiError

    code = 0
    for alias, entry in load_clusters().items():
        try:
            app.note(f"{alias}: {' '.join(_renewed(entry))}")
        except OpenPaiError as error:
            failure = report_for(error)
            code = code or failure.exit_code
            app.note(f"{alias}: {failure.message}")
    context.exit(code)


def _renewed(entry: ClusterEntry) -> Iterator[str]:
    """Renew what is stored of a cluster, and yield what it says.

    Raises:
        OpenPaiError: It does not answer, or the file cannot be written.
    """
    from openpai.core.client import Cluster, discover
    from openpai.core.config import save_cluster
    from openpai.core.errors import OpenPaiError

    found = discover(entry.uri, verify=entry.settings.get("verify", True))
    settings = {**entry.settings, "info": dict(found.info.raw)}
    save_cluster(replace(entry, uri=found.uri, settings=settings))
    yield server_line(found)
    yield from warnings(found)
    if not entry.logged_in:
        return
    try:
        with Cluster.load(entry.alias, environment=False) as cluster:
            yield from capability_lines(cluster)
    except OpenPaiError as error:
        yield f"Cannot list its resources: {error.message}"
