"""``opai job sweep|results``: one job and many sets of parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import cluster_option, format_option
from openpai.cli._submission import change, read_job
from openpai.cli._submission_options import (
    JOB_FILE,
    extras_options,
    take_extras,
    update_option,
)

if TYPE_CHECKING:
    from openpai.core.batch import Outcome
    from openpai.core.cluster import Cluster
    from openpai.core.protocol.job import Job
    from openpai.core.results import Result

RESULT_COLUMNS = [("NAME", "name"), ("STATE", "state"), ("EXIT CODE", "exitCode")]
_GROUPS = ("parameters", "metrics")
SWEEP_COLUMNS = [("JOB", "job"), ("WHAT BECAME OF IT", "status"), ("ERROR", "error")]


@command(
    "sweep",
    examples="""
    opai job sweep job.yaml -p lr=0.1,0.01 -p batch=32,64 --dry-run
    opai job sweep job.yaml -p lr=0.1,0.01 -p batch=32,64 --tag first-try
    opai job sweep job.yaml -p lr=0.1,0.01,0.001 -p batch=32,64,128 --random 4
    """,
)
@click.argument("file", type=JOB_FILE)
@click.option(
    "-p", "--param", "axes", multiple=True, required=True, metavar="K=V,V...", help="Values."
)
@click.option("--zip", "zipped", is_flag=True, help="Take first values together, then second ones.")
@click.option("--random", "count", type=click.IntRange(min=1), metavar="N", help="N random sets.")
@click.option("--seed", type=int, default=0, metavar="N", help="Where the random sets begin.")
@click.option("--name", help="What the names begin with, if not the job's own name.")
@click.option("--tag", default="", help="Tag every job.")
@click.option("--vc", "--virtual-cluster", "virtual_cluster", help="The virtual cluster.")
@click.option("--dry-run", is_flag=True, help="Say which jobs there would be, send nothing.")
@update_option
@extras_options
@cluster_option
@format_option
@click.pass_context
@pass_app
def sweep(app: CliApp, context: click.Context, /, *, file: Path, **options: Any) -> None:
    """Submit one job for each set of parameters.

    By default these are all combinations of the values. The names tell the parameters and are the
    same each time: submitting a sweep again completes what is missing and doubles nothing. Where
    the server limits how many jobs may be submitted in an hour, the rest waits for its turn.

    See it with 'job results', stop it with 'job stop PREFIX*'.
    """
    extras = take_extras(app, options)
    updates, vc = options.pop("updates"), options.pop("virtual_cluster")
    job = change(app, read_job(file), updates=updates, name=None, virtual_cluster=vc)
    jobs = _jobs(job, options)
    app.note(_preview(jobs))
    if options["dry_run"]:
        for one in jobs:
            one.validate()
        rows = [{"job": one.name, "status": "not sent", "error": None} for one in jobs]
    else:
        rows = _submit(app, app.cluster(options["alias"]), jobs, extras, options["tag"])
    app.emit(rows, columns=SWEEP_COLUMNS, format=options["format_"])
    context.exit(int(any(row["status"] == "failed" for row in rows)))


def _jobs(job: Job, options: dict[str, Any]) -> list[Job]:
    from openpai.core import sweep as core

    axes = dict(map(_axis, options["axes"]))
    if options["zipped"] and options["count"]:
        raise UsageProblem("--zip and --random exclude each other.", "Give one of them.")
    if options["count"]:
        points = core.sample(options["count"], options["seed"], **axes)
    else:
        points = core.zipped(**axes) if options["zipped"] else core.grid(**axes)
    return core.sweep_jobs(job, points, options["name"])


def _axis(text: str) -> tuple[str, list[Any]]:
    """Read ``lr=0.1,0.01``; each value is read as YAML."""
    from openpai.core.protocol.yaml_io import load_yaml

    key, equals, values = text.partition("=")
    if not equals or not key or not values:
        raise UsageProblem(f"'{text}' gives no values.", "Write -p NAME=VALUE,VALUE.")
    return key, [load_yaml(value) for value in values.split(",")]


def _preview(jobs: list[Job]) -> str:
    gpus = sum(
        int(role["resourcePerInstance"].get("gpu", 0)) * int(role.get("instances", 1))
        for role in jobs[0].document["taskRoles"].values()
    )
    return f"{len(jobs)} jobs of {gpus} GPUs each, {jobs[0].name} to {jobs[-1].name}."


def _submit(
    app: CliApp, cluster: Cluster, jobs: list[Job], extras: Any, tag: str
) -> list[dict[str, Any]]:
    from openpai.core.prepare import prepare

    for job in jobs:
        job.validate()
    with app.progress("Submitting", len(jobs)) as advance:
        ready = [prepare(job, cluster, extras) for job in jobs]
        outcomes = cluster.submit_all(ready, tag=tag, on_outcome=lambda _: advance(1))
    return [_outcome_row(outcome) for outcome in outcomes]


def _outcome_row(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error.message if outcome.error else None
    return {"job": outcome.remote.key, "status": outcome.status, "error": error}


@command(
    "results",
    examples="""
    opai job results --prefix train_
    opai job results --tag first-try --metric metrics.json:accuracy
    """,
)
@click.option("--prefix", default="", help="What the names of the jobs begin with.")
@click.option("--tag", default="", help="A tag that the jobs have.")
@click.option("--metric", "metrics", multiple=True, metavar="FILE:KEY", help="A saved value.")
@cluster_option
@format_option
@pass_app
def results(
    app: CliApp,
    /,
    *,
    prefix: str,
    tag: str,
    metrics: tuple[str, ...],
    alias: str | None,
    format_: str,
) -> None:
    """Show what became of many jobs, side by side.

    One row for each of your jobs that fits: its parameters, how it ended, how long it took, and the
    metrics that it saved among its outputs (- where it saved none).
    """
    if not prefix and not tag:
        raise UsageProblem("Which jobs?", "Name them by --prefix or --tag.")
    wanted = [_metric(text) for text in metrics]
    cluster = app.cluster(alias)
    from openpai.core.results import results as ask

    found = ask(cluster, prefix=prefix, tag=tag)
    rows = [_result_row(cluster, result, wanted) for result in found]
    if format_ == "table":
        app.emit(map(_flat, rows), columns=_columns(rows), format=format_)
    else:
        app.emit(rows, columns=[("JOB", "job")], format=format_)


def _metric(text: str) -> tuple[str, str]:
    file, colon, key = text.rpartition(":")
    if not file or not colon or not key:
        raise UsageProblem(f"'{text}' names no metric.", "Write --metric FILE:KEY.")
    return file, key


def _result_row(cluster: Cluster, result: Result, wanted: list[tuple[str, str]]) -> dict[str, Any]:
    from datetime import timedelta

    seconds = result.seconds
    return {
        "job": f"{cluster.user}~{result.name}",
        "name": result.name,
        "state": result.state,
        "exitCode": result.exit_code,
        "parameters": dict(result.parameters),
        "duration": None if seconds is None else timedelta(seconds=seconds),
        "metrics": {key: _read(cluster, result.name, file, key) for file, key in wanted},
    }


def _read(cluster: Cluster, name: str, file: str, key: str) -> Any:
    """Return a value of a JSON file that a job saved; ``None`` where there is no such thing."""
    import json

    from openpai.core.errors import NotFoundError

    try:
        storage, folder = cluster.job(name).outputs()
        with storage, storage.open_read(f"{folder}/{file}") as stream:
            found = json.load(stream)
    except (FileNotFoundError, NotADirectoryError, NotFoundError, ValueError):
        return None
    return found.get(key) if isinstance(found, dict) else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Give every parameter and metric a place of its own."""
    groups = ((group, row[group]) for group in _GROUPS)
    return {**row, **{f"{group}.{key}": v for group, held in groups for key, v in held.items()}}


def _columns(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = {f"{group}.{key}": key for group in _GROUPS for row in rows for key in row[group]}
    between = [(key, place) for place, key in found.items()]
    return [*RESULT_COLUMNS, *between, ("DURATION", "duration")]
