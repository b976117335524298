"""``opai user password``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from openpai.cli.framework import (
    ONLY_ADMINS,
    CliApp,
    command,
    explained,
    new_password,
    pass_app,
    typed_password,
)
from openpai.core.cli import cluster_option

if TYPE_CHECKING:
    from openpai.core.client import Cluster


@command(
    "password",
    help="All tokens of the user except application tokens become invalid; your own is renewed.",
    examples="""
    opai user password                                     # yours: asks for the old and the new one
    printf '%s\\n' "$OLD" "$NEW" | opai user password --password-stdin
    printf '%s\\n' "$NEW" | opai user password bob --password-stdin      # as an admin
    """,
)
@click.argument("name", required=False)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the old (only your own) and the new password from stdin, one a line.",
)
@cluster_option
@pass_app
def password(app: CliApp, name: str | None, password_stdin: bool, alias: str | None) -> None:
    from openpai.core.rest import users

    cluster = app.cluster(alias)
    mine = name is None or name == cluster.user
    name = name or cluster.user
    old = typed_password(app, f"Old password of {name}", stdin=password_stdin) if mine else ""
    new = new_password(app, name, stdin=password_stdin)
    with explained(cluster, "" if mine else ONLY_ADMINS):
        users.change_password(cluster.session, name, old or new, new)
    app.note(f"Password of '{name}' changed.")
    if mine:
        _log_in_again(app, cluster, new)


def _log_in_again(app: CliApp, cluster: Cluster, new: str) -> None:
    from openpai.core.config import load_clusters, save_cluster
    from openpai.core.rest import TokenClaims

    if TokenClaims.from_token(cluster.session.token).application:
        return  # it stays good
    token = cluster.login(new)
    save_cluster(
        replace(load_clusters()[cluster.alias], token=token, password="", in_keyring=False)
    )
    app.note(f"Logged in to '{cluster.alias}' again.")
