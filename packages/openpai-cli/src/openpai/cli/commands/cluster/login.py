"""``opai cluster login|logout|token``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from openpai.cli.commands.cluster._login import find_secret, log_in, secret_options
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import complete_clusters

alias_argument = click.argument("alias", required=False, shell_complete=complete_clusters)


@command(
    "login",
    examples="""
    opai cluster login
    opai cluster login prod --user alice --password-stdin < password.txt
    opai cluster login prod --sso
    """,
)
@alias_argument
@click.option(
    "-u", "--user", metavar="NAME", help="User name on the cluster.  [default: the stored one]"
)
@secret_options
@pass_app
def login(app: CliApp, /, alias: str | None, user: str | None, **how: Any) -> None:
    from openpai.core.config import find_cluster, save_cluster
    from openpai.core.rest import ClusterInfo

    entry = find_cluster(alias)
    entry = replace(entry, user=user or entry.user)
    info = ClusterInfo(entry.settings.get("info") or {})
    entry = log_in(entry, find_secret(app, f"{entry.user} at {entry.uri}", info, **how))
    save_cluster(entry)
    app.note(f"Logged in to '{entry.alias}' as {entry.user}.")
