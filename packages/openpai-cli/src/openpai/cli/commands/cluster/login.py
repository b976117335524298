"""``opai cluster login|logout|token``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from openpai.cli import _complete
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._login import find_secret, log_in, secret_options

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
    from openpai.core.config.clusters import find_cluster, save_cluster
    from openpai.core.rest.cluster import ClusterInfo

    entry = find_cluster(alias)
    entry = replace(entry, user=user or entry.user)
    info = ClusterInfo(entry.settings.get("info") or {})
    entry = log_in(entry, find_secret(app, f"{entry.user} at {entry.uri}", info, **how))
    save_cluster(entry)
    app.note(f"Logged in to '{entry.alias}' as {entry.user}.")


@command("logout", examples="opai cluster logout prod")
@alias_argument
@pass_app
def logout(app: CliApp, alias: str | None) -> None:
    """Forget the token of a cluster.

    The server is told to forget it, too, where it can (not for application tokens).
    """
    from openpai.core.config.clusters import find_cluster, save_cluster
    from openpai.core.errors import OpenPaiError
    from openpai.core.rest.authn import basic_logout

    entry = find_cluster(alias)
    if entry.token:
        try:
            basic_logout(app.cluster(entry.alias).session)
        except OpenPaiError as error:
            app.note(f"opai: warning: the server did not take the token back: {error.message}")
    save_cluster(replace(entry, token="", password=""))
    app.note(f"Logged out of '{entry.alias}'.")


@command("token", examples='curl -H "Authorization: Bearer $(opai cluster token prod)" …')
@alias_argument
@pass_app
def token(app: CliApp, alias: str | None) -> None:
    """Print a cluster's token, for scripts."""
    from openpai.core.errors import AuthenticationError

    cluster = app.cluster(alias)
    if not cluster.session.token:
        raise AuthenticationError(
            f"There is no token for '{cluster.alias}'.",
            status=401,
            hint=f"Log in: opai cluster login {cluster.alias}",
        )
    app.console.data(cluster.session.token)
