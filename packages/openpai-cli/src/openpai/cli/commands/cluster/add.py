"""The command ``opai cluster add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.cluster._login import find_secret, log_in, open_entry, secret_options
from openpai.cli.commands.cluster._server_info import capability_lines, server_line, warnings
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app

if TYPE_CHECKING:
    from openpai.core.config import ClusterEntry

__all__ = [
    "add",
]


@command(
    "add",
    help="""
    URI may be a host, with or without https:// and a port, or any page of PAI's web portal.
    What the server reports is printed before anything is asked or stored. The password is not
    stored; the token is stored in the keyring, or in a file that only you can read.
    """,
    examples="""
    opai cluster add prod --pai-uri pai.example.org --user alice
    pass show pai | opai cluster add prod --pai-uri URI --user alice --password-stdin
    opai cluster add prod --pai-uri https://pai.example.org --token-stdin < token.txt
    """,
)
@click.argument("alias", required=False)
@click.option(
    "-a",
    "--cluster-alias",
    "named",
    metavar="ALIAS",
    help="Alias of the cluster (instead of the argument ALIAS).",
)
@click.option("--pai-uri", "uri", required=True, metavar="URI", help="Address of the cluster.")
@click.option(
    "-u",
    "--user",
    default="",
    metavar="NAME",
    help="User name on the cluster (not needed with a token).",
)
@click.option("--ca", metavar="FILE", help="File of CA certificates to trust.")
@secret_options
@pass_app
def add(
    app: CliApp,
    /,
    *,
    alias: str | None,
    named: str | None,
    uri: str,
    user: str,
    ca: str | None,
    **how: Any,
) -> None:
    from openpai.core.client import discover
    from openpai.core.config import ClusterEntry, load_clusters, save_cluster

    alias = alias or named
    if not alias:
        raise UsageError("The cluster needs an alias.", "opai cluster add ALIAS --pai-uri URI")
    known = load_clusters()
    settings = {**known[alias].settings} if alias in known else {}
    settings.update({"verify": ca} if ca else {})
    found = discover(uri, verify=settings.get("verify", True))
    app.note(f"Found {server_line(found)}")
    for warning in warnings(found):
        app.note(f"opai: warning: {warning}")
    entry = ClusterEntry(alias, found.uri, user, settings=settings)
    secret = find_secret(app, f"{user or 'you'} at {found.uri}", found.info, **how)
    entry = log_in(entry, secret)
    place = save_cluster(entry)
    app.note(f"{'Replaced' if alias in known else 'Added'} '{alias}', logged in as {entry.user}.")
    app.note(f"The token is stored in {'the keyring' if place == 'keyring' else place}.")
    _print_capabilities(app, entry)


def _print_capabilities(app: CliApp, entry: ClusterEntry) -> None:
    """Print what the cluster offers; an error here does not undo the addition."""
    from openpai.core.errors import OpenPaiError

    with open_entry(entry) as cluster:
        try:
            for line in capability_lines(cluster):
                app.note(line)
        except OpenPaiError as error:
            app.note(f"opai: warning: cannot list its resources: {error.message}")
