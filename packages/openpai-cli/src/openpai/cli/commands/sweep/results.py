"""``opai sweep results|download``: what became of many jobs, side by side, and their files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, complete_sweeps, format_option

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.sweeps import Metric, Result

COLUMNS = [("NAME", "name"), ("STATE", "state"), ("EXIT CODE", "exitCode")]
_GROUPS = ("parameters", "metrics")
_READERS = 8


@command(
    "results",
    help="""
    Shows a row for each job of the sweep (or each of your jobs that matches): parameters,
    state, duration and metrics. Metrics are values of JSON files among its outputs, or the last
    match of a pattern in its log (- if there is none).
    """,
    examples="""
    opai sweep results train --metric metrics.json:accuracy
    opai sweep results train --log-metric 'loss=loss: ([0-9.]+)' --sort loss
    opai sweep results train --metric metrics.json:accuracy --save accuracy.html
    opai sweep results --prefix old_ --tag baseline
    """,
)
@click.argument("sweep", required=False, shell_complete=complete_sweeps)
@click.option("--prefix", default="", metavar="TEXT", help="Select jobs by name prefix instead.")
@click.option("--tag", default="", help="Select jobs by tag instead.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="FILE:KEY",
    help="Value to show, from a saved JSON file (repeatable).",
)
@click.option(
    "--log-metric",
    "patterns",
    multiple=True,
    metavar="NAME=PATTERN",
    help="Value to show: the last match of a pattern in the log (repeatable).",
)
@click.option("--sort", metavar="NAME", help="Sort by this metric (-NAME: descending).")
@click.option(
    "--plot/--no-plot",
    default=None,
    help="Draw bar charts of the metrics.  [default: on a terminal]",
)
@click.option(
    "--save",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write plots to this .html, .svg or .png file (repeatable).",
)
@cluster_option
@format_option
@pass_app
def results(app: CliApp, /, *, alias: str | None, format_: str, **options: Any) -> None:
    wanted = _metrics(options["metrics"], options["patterns"])
    _check_files(options["files"])
    cluster = app.cluster(alias)
    found = _found(cluster, options["sweep"], options["prefix"], options["tag"])
    with app.progress("Reading metrics", len(found) * len(wanted)) as advance:
        rows = _rows(cluster, found, wanted, advance)
    if options["sort"]:
        rows = _sorted(rows, options["sort"])
    if format_ == "table":
        app.emit(map(_flat, rows), columns=_columns(rows), format=format_)
    else:
        app.emit(rows, columns=[("JOB", "job")], format=format_)
    if format_ == "table" and _wants_plot(app, options["plot"]):
        _draw(app, rows)
    for path in options["files"]:
        _save(app, path, options["sweep"] or options["prefix"] or options["tag"], rows)


def _metrics(files: Sequence[str], patterns: Sequence[str]) -> list[Metric]:
    if not files and not patterns:
        return []
    from openpai.core.errors import OpenPaiError
    from openpai.core.sweeps import FileMetric, LogMetric

    try:
        return [*map(FileMetric.parse, files), *map(LogMetric.parse, patterns)]
    except OpenPaiError as error:
        raise UsageError(error.message, error.hint) from None


def _check_files(files: Sequence[Path]) -> None:
    from openpai.cli.ui import check_file

    for path in files:
        check_file(path)


def _found(cluster: Cluster, sweep: str | None, prefix: str, tag: str) -> list[Result]:
    from openpai.core.sweeps import Sweep, collect_results as ask, results_of

    if sweep and (prefix or tag):
        raise UsageError(
            "A sweep name cannot be combined with --prefix or --tag.", "Leave them out."
        )
    if sweep:
        jobs = Sweep(cluster, sweep).jobs()
        return results_of(cluster, [job.summary for job in jobs if job.summary])
    if not prefix and not tag:
        raise UsageError("No jobs selected.", "Name a sweep, or use --prefix or --tag.")
    return ask(cluster, prefix=prefix, tag=tag)


def _rows(
    cluster: Cluster, found: Sequence[Result], wanted: Sequence[Metric], advance: Any
) -> list[dict[str, Any]]:
    from concurrent.futures import ThreadPoolExecutor

    def read(result: Result) -> dict[str, Any]:
        values = {metric.name: metric.read(cluster.job(result.name)) for metric in wanted}
        advance(len(wanted))
        return _row(cluster, result, values)

    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(read, found))


def _row(cluster: Cluster, result: Result, values: dict[str, Any]) -> dict[str, Any]:
    from datetime import timedelta

    seconds = result.seconds
    return {
        "job": f"{cluster.user}~{result.name}",
        "name": result.name,
        "state": result.state,
        "exitCode": result.exit_code,
        "parameters": dict(result.parameters),
        "duration": None if seconds is None else timedelta(seconds=seconds),
        "metrics": values,
    }


def _sorted(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Sort by a metric or parameter; what has none comes last."""
    from openpai.cli.ui import is_number

    name, sign = (key[1:], -1) if key.startswith("-") else (key, 1)
    if not any(name in row[group] for row in rows for group in _GROUPS):
        raise UsageError(f"Unknown metric or parameter '{name}'.", "Use the name of a column.")

    def place(row: dict[str, Any]) -> tuple[bool, float, str]:
        value: Any = {**row["parameters"], **row["metrics"]}.get(name)
        if not is_number(value):
            return True, 0.0, str(value)
        return False, sign * float(value), ""

    return sorted(rows, key=place)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Give every parameter and metric a place of its own."""
    groups = ((group, row[group]) for group in _GROUPS)
    return {**row, **{f"{group}.{key}": v for group, held in groups for key, v in held.items()}}


def _columns(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = {f"{group}.{key}": key for group in _GROUPS for row in rows for key in row[group]}
    between = [(key, place) for place, key in found.items()]
    return [*COLUMNS, *between, ("DURATION", "duration")]


def _wants_plot(app: CliApp, asked: bool | None) -> bool:
    return app.console.is_terminal if asked is None else asked


def _draw(app: CliApp, rows: list[dict[str, Any]]) -> None:
    """Draw a bar for each job and metric."""
    from openpai.cli.ui import bar_chart, escape_control, panels, points_of

    mark = "█" if "utf" in (sys.stdout.encoding or "").lower() else "#"
    for panel in panels(points_of(rows)):
        if panel.parameter is None:
            app.console.print("")
            for line in bar_chart(panel, app.console.width, mark):
                app.console.print(escape_control(line))


def _save(app: CliApp, path: Path, title: str, rows: list[dict[str, Any]]) -> None:
    from openpai.cli.ui import cell_text, panels, points_of, write_plot

    columns = _columns(rows)
    table = [[header for header, _ in columns]]
    table += [[cell_text(_flat(row).get(key)) for _, key in columns] for row in rows]
    write_plot(path, title, list(panels(points_of(rows))), table)
    app.note(f"Wrote {path}.")
