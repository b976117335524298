"""``opai cluster add|list|show|select|delete``: the clusters that this machine knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openpai.cli import _complete
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._found import found_line, offer_lines, warnings
from openpai.cli._login import find_secret, log_in, open_entry, secret_options
from openpai.cli._options import format_option

if TYPE_CHECKING:
    from openpai.core.config.clusters import ClusterEntry

LIST_COLUMNS = [
    ("ALIAS", "cluster_alias"),
    ("URI", "pai_uri"),
    ("USER", "user"),
    ("SELECTED", "selected"),
    ("LOGGED IN", "logged_in"),
]


@command(
    "add",
    examples="""
    opai cluster add prod --pai-uri pai.example.org --user alice
    pass show pai | opai cluster add prod --pai-uri URI --user alice --password-stdin
    opai cluster add prod --pai-uri https://pai.example.org --token-stdin < token.txt
    """,
)
@click.argument("alias", required=False)
@click.option("-a", "--cluster-alias", "named", metavar="ALIAS", help="The alias, as an option.")
@click.option("--pai-uri", "uri", required=True, metavar="URI", help="The cluster's address.")
@click.option("-u", "--user", default="", help="Your name there (a token knows it by itself).")
@click.option("--ca", metavar="FILE", help="Trust the certificates in this file.")
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
    """Add a cluster and log in to it.

    The address may be a host, with or without https:// and a port, or any page of PAI's web portal.
    What answers there is told before anything is asked or stored. The password is not stored; the
    token is: in the keyring, or in a file that only you can read.
    """
    from openpai.cli._discovery import discover
    from openpai.core.config.clusters import ClusterEntry, load_clusters, save_cluster

    alias = alias or named
    if not alias:
        raise UsageProblem("The cluster needs an alias.", "opai cluster add ALIAS --pai-uri URI")
    known = load_clusters()
    settings = {**known[alias].settings} if alias in known else {}
    settings.update({"verify": ca} if ca else {})
    found = discover(uri, verify=settings.get("verify", True))
    app.note(f"Found {found_line(found)}")
    for warning in warnings(found):
        app.note(f"opai: warning: {warning}")
    entry = ClusterEntry(alias, found.uri, user, settings=settings)
    secret = find_secret(app, f"{user or 'you'} at {found.uri}", found.info, **how)
    entry = log_in(entry, secret)
    place = save_cluster(entry)
    app.note(f"{'Replaced' if alias in known else 'Added'} '{alias}', logged in as {entry.user}.")
    app.note(f"The token is kept in {'the keyring' if place == 'keyring' else place}.")
    _tell_offer(app, entry)


def _tell_offer(app: CliApp, entry: ClusterEntry) -> None:
    """Say what the cluster offers; it was added even if it does not tell."""
    from openpai.core.errors import OpenPaiError

    with open_entry(entry) as cluster:
        try:
            for line in offer_lines(cluster):
                app.note(line)
        except OpenPaiError as error:
            app.note(f"opai: warning: what it offers could not be asked: {error.message}")


@command("list", examples="opai cluster list\nopai cluster list -o json")
@format_option
@pass_app
def list_clusters(app: CliApp, format_: str) -> None:
    """List the clusters you know."""
    from openpai.core.config.clusters import load_clusters

    clusters = load_clusters()
    selected = _selected()
    rows = [
        {
            "cluster_alias": alias,
            "pai_uri": entry.uri,
            "user": entry.user,
            "selected": alias == selected,
            "logged_in": entry.logged_in,
        }
        for alias, entry in clusters.items()
    ]
    app.emit(rows, columns=LIST_COLUMNS, format=format_)
    if not rows:
        app.note("No cluster is known yet. Start one here: opai local up")


@command("show", examples="opai cluster show\nopai cluster show prod -o json")
@click.argument("alias", required=False, shell_complete=_complete.clusters)
@format_option
@pass_app
def show(app: CliApp, alias: str | None, format_: str) -> None:
    """Show what is stored of a cluster.

    The keys are those of clusters.yaml; passwords and tokens are left out.
    """
    from openpai.core.config.clusters import find_cluster

    settings = find_cluster(alias).to_settings()
    columns = [(key, key) for key in settings]
    app.emit(settings, columns=columns, format=format_)


@command("select", examples="opai cluster select prod")
@click.argument("alias", shell_complete=_complete.clusters)
@click.option("-g", "--is-global", is_flag=True, expose_value=False, hidden=True, help="Always so.")
@pass_app
def select(app: CliApp, alias: str) -> None:
    """Use this cluster when none is named."""
    from openpai.core.config.clusters import select_cluster

    select_cluster(alias)
    app.note(f"'{alias}' is used from now on.")


@command("delete", examples="opai cluster delete prod")
@click.argument("alias", shell_complete=_complete.clusters)
@pass_app
def delete(app: CliApp, alias: str) -> None:
    """Forget a cluster and its token."""
    from openpai.core.config.clusters import delete_cluster

    delete_cluster(alias)
    app.note(f"'{alias}' is forgotten.")


def _selected() -> str | None:
    """Return the alias that is used when none is named."""
    from openpai.core.config.clusters import find_cluster
    from openpai.core.errors import ConfigError

    try:
        found: ClusterEntry = find_cluster()
    except ConfigError:
        return None
    return found.alias
