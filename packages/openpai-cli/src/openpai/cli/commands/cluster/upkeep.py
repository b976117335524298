"""``opai cluster check|update|edit``: keep what is stored of clusters in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from openpai.cli import _complete
from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._found import HARMLESS_SKEW, clock_line, found_line, offer_lines, warnings
from openpai.cli._options import format_option
from openpai.cli._times import ago

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.config.clusters import ClusterEntry

COLUMNS = [("CHECK", "check"), ("GOOD", "good"), ("FINDING", "finding"), ("WHAT TO DO", "cure")]


@command("check", examples="opai cluster check\nopai cluster check prod -o json")
@click.argument("alias", required=False, shell_complete=_complete.clusters)
@format_option
@click.pass_context
@pass_app
def check(app: CliApp, context: click.Context, alias: str | None, format_: str) -> None:
    """Find out why a cluster does not work.

    Looks at the address, the token and each storage in turn. The exit code is that of the first
    thing that is not good.
    """
    cluster = app.cluster(alias)
    rows = list(_checks(cluster))
    codes = [row.pop("exitCode") for row in rows]
    app.emit(rows, columns=COLUMNS, format=format_)
    context.exit(next(filter(None, codes), 0))


def _checks(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """Yield what was found; what needs a good server or token is left out without one."""
    server = _try(f"server {cluster.uri}", lambda: _server(cluster))
    yield server
    if not server["good"]:
        return
    token = _try("token", lambda: _token(cluster))
    yield token
    if not token["good"]:
        return
    names: list[str] = []
    yield _try("storages", lambda: _storages(cluster, names))
    for name in names:
        yield _try(f"storage {name}", partial(_storage, cluster, name))


def _try(what: str, look: Callable[[], str]) -> dict[str, Any]:
    from openpai.cli._errors import explain
    from openpai.core.errors import OpenPaiError

    try:
        finding, cure, code = look(), "", 0
    except (OpenPaiError, OSError) as error:
        failure = explain(error)
        finding, cure, code = failure.message, failure.hint, failure.exit_code
    return {"check": what, "good": not code, "finding": finding, "cure": cure, "exitCode": code}


def _server(cluster: Cluster) -> str:
    info = cluster.info()
    ahead = cluster.session.clock_ahead
    clock = f". {clock_line(ahead)}" if abs(ahead) >= HARMLESS_SKEW else ""
    return f"PAI {info.version}, logs in by {info.authn_method or 'unknown means'}{clock}"


def _token(cluster: Cluster) -> str:
    from openpai.core.rest.authn import check_token

    claims = check_token(cluster.session)
    kind = "application token" if claims.application else "token"
    if claims.expires is None:
        return f"{kind} of {claims.username}, does not expire"
    end = datetime.fromtimestamp(claims.expires, timezone.utc)
    return f"{kind} of {claims.username}, expires {ago(end)}"


def _storages(cluster: Cluster, names: list[str]) -> str:
    names.extend(spec.name for spec in cluster.storages())
    return ", ".join(names) or "none are granted to you"


def _storage(cluster: Cluster, name: str) -> str:
    with cluster.storage(name) as storage:
        count = sum(1 for _ in storage.list("/"))
    return f"reached from here, {count} entries at the top"


@command("update", examples="opai cluster update")
@click.pass_context
@pass_app
def update(app: CliApp, context: click.Context) -> None:
    """Ask all clusters again what they are.

    What is stored of each, its address, version and way of logging in, is renewed, and what it
    offers is told. A cluster that does not answer is told, and keeps what was stored.
    """
    from openpai.cli._errors import explain
    from openpai.core.config.clusters import load_clusters
    from openpai.core.errors import OpenPaiError

    code = 0
    for alias, entry in load_clusters().items():
        try:
            app.note(f"{alias}: {' '.join(_renewed(entry))}")
        except OpenPaiError as error:
            failure = explain(error)
            code = code or failure.exit_code
            app.note(f"{alias}: {failure.message}")
    context.exit(code)


def _renewed(entry: ClusterEntry) -> Iterator[str]:
    """Renew what is stored of a cluster, and yield what it says.

    Raises:
        OpenPaiError: It does not answer, or the file cannot be written.
    """
    from openpai.cli._discovery import discover
    from openpai.core.client.cluster import Cluster
    from openpai.core.config.clusters import save_cluster
    from openpai.core.errors import OpenPaiError

    found = discover(entry.uri, verify=entry.settings.get("verify", True))
    settings = {**entry.settings, "info": dict(found.info.raw)}
    save_cluster(replace(entry, uri=found.uri, settings=settings))
    yield found_line(found)
    yield from warnings(found)
    if not entry.logged_in:
        return
    try:
        with Cluster.load(entry.alias, environment=False) as cluster:
            yield from offer_lines(cluster)
    except OpenPaiError as error:
        yield f"What it offers could not be asked: {error.message}"


@command("edit", examples="opai cluster edit\nopai cluster edit --editor 'code --wait'")
@click.option("--editor", metavar="COMMAND", help="The editor, if not $VISUAL or $EDITOR.")
@pass_app
def edit(app: CliApp, editor: str | None) -> None:
    """Open clusters.yaml in an editor.

    The file is read once more after that, and what is wrong with it is told.
    """
    from openpai.core.config.clusters import load_clusters
    from openpai.core.paths import home

    path = home() / "clusters.yaml"
    load_clusters()
    if not path.exists():
        raise click.ClickException("No cluster is known yet. Add one: opai cluster add")
    click.edit(filename=str(path), editor=editor)
    app.note(f"{path} knows {len(load_clusters())} clusters.")
