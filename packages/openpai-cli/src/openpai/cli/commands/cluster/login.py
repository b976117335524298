"""``opai cluster login|logout|token``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from openpai.cli.commands.cluster._login import find_secret, log_in, secret_options
from openpai.cli.framework import CliApp, command, completion as _complete, pass_app

alias_argument = click.argument("alias", required=False, shell_complete=_complete.clusters)


@command(
    "login",
    examples="""
    opai cluster login
    opai cluster login prod --user alice --password-stdin < password.txt
    opai cluster login prod --sso
    """,
)
@alias_argument
@click.option("-u", "--user", help="Log in under another name.")
@secret_options
@pass_app
def login(app: CliApp, /, alias: str | None, user: str | None, **how: Any) -> None:
    """Log in again, with a password, a token, or a browser."""
    from openpai.core.config import find_cluster, save_cluster
    from openpai.core.rest import ClusterInfo

    entry = find_cluster(alias)
    entry = replace(entry, user=user or entry.user)
    info = ClusterInfo(entry.settings.get("info") or {})
    entry = log_in(entry, find_secret(app, f"{entry.user} at {entry.uri}", info, **how))
    save_cluster(entry)
    app.note(f"Logged in to '{entry.alias}' as {entry.user}.")
