"""The command ``opai cluster token``."""

from __future__ import annotations

from openpai.cli.commands.cluster.login import alias_argument
from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "token",
]


@command("token", examples='curl -H "Authorization: Bearer $(opai cluster token prod)" …')
@alias_argument
@pass_app
def token(app: CliApp, alias: str | None) -> None:
    from openpai.core.errors import AuthenticationError

    cluster = app.cluster(alias)
    if not cluster.session.token:
        raise AuthenticationError(
            f"No token stored for '{cluster.alias}'.",
            status=401,
            hint=f"Log in: opai cluster login {cluster.alias}",
        )
    app.console.print(cluster.session.token)
