"""The command ``opai user create``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openpai.cli.commands.user._user import vc_option
from openpai.cli.framework import CliApp, command, explained, new_password, pass_app
from openpai.core.cli import cluster_option

if TYPE_CHECKING:
    pass

__all__ = [
    "create",
]


@command(
    "create",
    help="The server needs some seconds. If its answer is lost, it is asked again.",
    examples="""
    opai user create alice --vc research                    # asks for the password
    pass show alice | opai user create alice --password-stdin
    """,
)
@click.argument("name")
@click.option("--email", default="", metavar="ADDRESS", help="E-mail address of the user.")
@click.option("--admin", is_flag=True, help="Make the user an admin of the cluster.")
@vc_option
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@cluster_option
@pass_app
def create(
    app: CliApp,
    /,
    *,
    name: str,
    email: str,
    admin: bool,
    virtual_clusters: tuple[str, ...],
    password_stdin: bool,
    alias: str | None,
) -> None:
    from openpai.core.rest import users

    cluster = app.cluster(alias)
    password = new_password(app, name, stdin=password_stdin)
    with explained(cluster):
        users.create_user(
            cluster.session,
            name,
            password,
            email=email,
            admin=admin,
            virtual_clusters=virtual_clusters,
        )
    app.note(f"User '{name}' created.")
