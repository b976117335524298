"""``opai cluster check|update|edit``: keep what is stored of clusters in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.cluster._server_info import (
    HARMLESS_SKEW,
    clock_line,
)
from openpai.cli.framework import CliApp, command, pass_app
from openpai.cli.ui import ago
from openpai.core.cli import complete_clusters, format_option

if TYPE_CHECKING:
    from openpai.core.client import Cluster

COLUMNS = [("CHECK", "check"), ("OK", "good"), ("RESULT", "finding"), ("HINT", "cure")]


@command(
    "check",
    help="""
    Checks the address, the token and each storage. The exit code is that of the first failed
    check.
    """,
    examples="opai cluster check\nopai cluster check prod -o json",
)
@click.argument("alias", required=False, shell_complete=complete_clusters)
@format_option
@click.pass_context
@pass_app
def check(app: CliApp, context: click.Context, alias: str | None, format_: str) -> None:
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
    from openpai.cli.framework import report_for
    from openpai.core.errors import OpenPaiError

    try:
        finding, cure, code = look(), "", 0
    except (OpenPaiError, OSError) as error:
        failure = report_for(error)
        finding, cure, code = failure.message, failure.hint, failure.exit_code
    return {"check": what, "good": not code, "finding": finding, "cure": cure, "exitCode": code}


def _server(cluster: Cluster) -> str:
    info = cluster.info()
    ahead = cluster.session.clock_ahead
    clock = f". {clock_line(ahead)}" if abs(ahead) >= HARMLESS_SKEW else ""
    return f"PAI {info.version}, login method {info.authn_method or 'unknown'}{clock}"


def _token(cluster: Cluster) -> str:
    from openpai.core.rest import check_token

    claims = check_token(cluster.session)
    kind = "application token" if claims.application else "token"
    if claims.expires is None:
        return f"{kind} of {claims.username}, does not expire"
    end = datetime.fromtimestamp(claims.expires, timezone.utc)
    return f"{kind} of {claims.username}, expires {ago(end)}"


def _storages(cluster: Cluster, names: list[str]) -> str:
    names.extend(spec.name for spec in cluster.storages())
    return ", ".join(names) or "none"


def _storage(cluster: Cluster, name: str) -> str:
    with cluster.storage(name) as storage:
        count = sum(1 for _ in storage.list("/"))
    return f"reachable, {count} entries at the top"
