"""``opai cluster resources``: what is free, on all clusters side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.cli.ui import bar
from openpai.core.cli import complete_clusters, format_option

if TYPE_CHECKING:
    from openpai.cli.ui import Console
    from openpai.core.client import Cluster
    from openpai.core.errors import OpenPaiError

    Answer = list[dict[str, Any]] | OpenPaiError

COLUMNS = [
    ("CLUSTER", "cluster"),
    ("VC", "virtualCluster"),
    ("GPUS FREE", "gpusFree"),
    ("GPUS", "gpus"),
    ("CPUS FREE", "cpusFree"),
    ("CPUS", "cpus"),
    ("MIB FREE", "memoryMBFree"),
    ("MIB", "memoryMB"),
    ("ERROR", "error"),
]
AMOUNTS = (("gpus", "gpu"), ("cpus", "cpu"), ("memoryMB", "memory_mb"))
# Narrower terminals get numbers alone.
_WIDE = 80
_SECONDS = 10.0


@command(
    "resources",
    help="""
    Queries all clusters in parallel for the virtual clusters you may submit to. Free resources
    are those of healthy nodes minus those of running tasks. A cluster that does not answer is
    listed as such and determines the exit code.
    """,
    examples="""
    opai cluster resources
    opai cluster resources -a prod -a test -o json
    """,
)
@click.option(
    "-a",
    "--cluster-alias",
    "aliases",
    metavar="ALIAS",
    multiple=True,
    shell_complete=complete_clusters,
    help="Only this cluster (repeatable).  [default: all]",
)
@format_option
@click.pass_context
@pass_app
def resources(app: CliApp, context: click.Context, aliases: tuple[str, ...], format_: str) -> None:
    from openpai.cli.framework import report_for
    from openpai.core.errors import ConnectionFailed, OpenPaiError

    code = 0
    silent: set[str] = set()
    rows: list[dict[str, Any]] = []
    for alias, answer in _ask_all(list(aliases)).items():
        if isinstance(answer, OpenPaiError):
            failure = report_for(answer)
            code = code or failure.exit_code
            app.note(f"opai: warning: {alias}: {failure.message}")
            rows.append({"cluster": alias, **_row(None), "error": failure.message})
            silent |= {alias} if isinstance(answer, ConnectionFailed) else set()
        else:
            rows += [{"cluster": alias, **row, "error": None} for row in answer]
    _show(app, rows, silent, format_)
    context.exit(code)


def _ask_all(aliases: list[str]) -> dict[str, Answer]:
    """Return the rows of each cluster, or why there are none.

    Raises:
        ConfigError: A cluster is not known, or none is.
    """
    from concurrent.futures import ThreadPoolExecutor

    from openpai.core.config import find_cluster, load_clusters
    from openpai.core.errors import ConfigError

    known = list(load_clusters())
    try:
        chosen = find_cluster(aliases[0] if len(aliases) == 1 else None).alias
    except ConfigError:
        if not known or len(aliases) == 1:
            raise
        chosen = ""
    with ThreadPoolExecutor(8) as pool:
        asked = {
            alias: pool.submit(_ask, alias, environment=alias == chosen)
            for alias in dict.fromkeys(aliases or known)
        }
        return {alias: answer.result() for alias, answer in asked.items()}


def _ask(alias: str, *, environment: bool) -> Answer:
    from openpai.core.client import Cluster
    from openpai.core.errors import OpenPaiError

    try:
        with Cluster.load(alias, environment=environment) as cluster:
            return list(_rows(cluster))
    except OpenPaiError as error:
        return error


def _rows(cluster: Cluster) -> Iterator[dict[str, Any]]:
    cluster.session.timeout = _SECONDS
    for name, vc in cluster.resources().items():
        yield _row(name, vc.total, vc.free)


def _row(name: str | None, total: Any = None, free: Any = None) -> dict[str, Any]:
    row: dict[str, Any] = {"virtualCluster": name}
    for key, amount in AMOUNTS:
        row[key] = getattr(total, amount, None)
        row[f"{key}Free"] = getattr(free, amount, None)
    return row


def _show(app: CliApp, rows: list[dict[str, Any]], silent: set[str], format_: str) -> None:
    if format_ == "name":
        names = [row for row in rows if row["virtualCluster"]]
        app.emit(names, columns=COLUMNS[1:], format=format_)
    elif format_ == "table" and app.console.is_terminal:
        columns, drawn = _drawn(app.console, rows, silent)
        app.emit(drawn, columns=columns, format=format_)
    else:
        failed = any(row["error"] for row in rows)
        app.emit(rows, columns=COLUMNS if failed else COLUMNS[:-1], format=format_)


def _drawn(
    console: Console, rows: list[dict[str, Any]], silent: set[str]
) -> tuple[list[tuple[str, str]], list[Mapping[str, Any]]]:
    """Return columns and rows for people: one bar for each amount, where there is room."""
    width = min((console.width - 40) // 5, 12) if console.width >= _WIDE else 0
    suffix = " FREE" if width else ""
    columns = [
        *COLUMNS[:2],
        *((f"{title}{suffix}", key) for title, key in zip(_TITLES, _KEYS, strict=True)),
    ]
    return columns, [_drawn_row(row, width, silent) for row in rows]


_KEYS = tuple(key for key, _ in AMOUNTS)
_TITLES = ("GPUS", "CPUS", "GIB")


def _drawn_row(row: Mapping[str, Any], width: int, silent: set[str]) -> dict[str, Any]:
    reason = "no answer" if row["cluster"] in silent else "refused"
    drawn = {"cluster": row["cluster"], "virtualCluster": row["virtualCluster"] or reason}
    for key in _KEYS:
        free, total = row[f"{key}Free"], row[key]
        if free is None:
            drawn[key] = None
            continue
        unit = 1024 if key == "memoryMB" else 1
        numbers = f"{free // unit}/{total // unit}"
        drawn[key] = f"{bar(free, total, width, sys.stdout.encoding)} {numbers}".strip()
    return drawn
