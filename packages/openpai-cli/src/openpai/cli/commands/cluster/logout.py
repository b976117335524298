"""The command ``opai cluster logout``."""

from __future__ import annotations

from dataclasses import replace

from openpai.cli.commands.cluster.login import alias_argument
from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "logout",
]


@command(
    "logout",
    help="The server is asked to revoke the token, where it can (not for application tokens).",
    examples="opai cluster logout prod",
)
@alias_argument
@pass_app
def logout(app: CliApp, alias: str | None) -> None:
    from openpai.core.config import find_cluster, save_cluster
    from openpai.core.errors import OpenPaiError
    from openpai.core.rest import basic_logout

    entry = find_cluster(alias)
    if entry.token:
        try:
            basic_logout(app.cluster(entry.alias).session)
        except OpenPaiError as error:
            app.note(f"opai: warning: the server did not revoke the token: {error.message}")
    save_cluster(replace(entry, token="", password=""))
    app.note(f"Logged out of '{entry.alias}'.")
