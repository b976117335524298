"""``opai job sweep``: one job and many sets of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.job._submission import change, read_job
from openpai.cli.commands.job._submission_options import (
    JOB_FILE,
    extras_options,
    parse_extras,
    update_option,
)
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, parallel_option, pass_app
from openpai.core.cli import cluster_option, format_option

if TYPE_CHECKING:
    from openpai.core.sweeps import SweepPlan


@command(
    "sweep",
    help="""
    By default these are all combinations of the values. Job names are made of the parameters:
    submitting a sweep again submits only what is missing. If the server limits the submissions
    per hour, the command waits; with --max-parallel it also waits until a job ends before it
    submits the next.

    'opai sweep' lists, stops and collects the jobs, and reruns failed ones.
    """,
    examples="""
    opai job sweep job.yaml -p lr=0.1,0.01 -p batch=32,64 --dry-run
    opai job sweep job.yaml -p lr=0.1,0.01 -p batch=32,64 --max-parallel 2
    opai job sweep job.yaml -p lr=0.1,0.01,0.001 -p batch=32,64,128 --random 4
    opai job sweep train.ipynb -p lr=0.1,0.01 --image jupyter/scipy-notebook
    """,
)
@click.argument("file", type=JOB_FILE)
@click.option(
    "-p",
    "--param",
    "axes",
    multiple=True,
    required=True,
    metavar="K=V,V...",
    help="Values of a parameter (repeatable).",
)
@click.option(
    "--zip",
    "zipped",
    is_flag=True,
    help="Combine the n-th values of all parameters instead of all combinations.",
)
@click.option(
    "--random",
    "count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw N random parameter sets.",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Random seed.  [default: 0]")
@parallel_option
@click.option(
    "--name", help="Name of the sweep and prefix of its job names.  [default: the job's name]"
)
@click.option("--tag", default="", help="Tag to add to every job.")
@click.option("-i", "--image", metavar="IMAGE", help="Docker image, if FILE is a notebook.")
@click.option("--vc", "--virtual-cluster", "virtual_cluster", help="Virtual cluster to submit to.")
@click.option(
    "--dry-run", is_flag=True, help="List the jobs that would be submitted; submit nothing."
)
@update_option
@extras_options
@cluster_option
@format_option
@click.pass_context
@pass_app
def sweep(app: CliApp, context: click.Context, /, *, file: Path, **options: Any) -> None:
    updates, vc = options.pop("updates"), options.pop("virtual_cluster")
    with _plan(app, file, _points(options), options) as found:
        for remark in found.remarks:
            app.note(remark)
        job = change(app, found.job, updates=updates, name=None, virtual_cluster=vc)
        plan = found._replace(job=job)
        rows = _preview(app, plan, options)
        if not options["dry_run"]:
            rows = _submit(app, plan, options)
    from openpai.cli.commands.sweep._sweep import OUTCOME_COLUMNS

    app.emit(rows, columns=OUTCOME_COLUMNS, format=options["format_"])
    context.exit(int(any(row["status"] == "failed" for row in rows)))


@contextmanager
def _plan(
    app: CliApp, file: Path, points: list[dict[str, Any]], options: dict[str, Any]
) -> Iterator[SweepPlan]:
    """Read a job file, or have a file of another kind read by the distribution that knows it."""
    from openpai.core.entry_points import entry_points
    from openpai.core.sweeps import SWEEPS_GROUP, SweepPlan

    image = options.pop("image")
    reader = entry_points(SWEEPS_GROUP).get(file.suffix[1:])
    extras = parse_extras(app, options)
    if reader is None:
        if image:
            raise UsageError("A job file names its own image.", "Leave out --image.")
        yield SweepPlan(read_job(file), points, extras)
        return
    wishes = {field.name: getattr(extras, field.name) for field in fields(extras)}
    del wishes["files"]
    with reader.load()(file, points, image=image, **wishes) as plan:
        yield plan


def _points(options: dict[str, Any]) -> list[dict[str, Any]]:
    from openpai.core.sweeps import parameters as sweeps_parameters

    axes = dict(map(_axis, options["axes"]))
    if options["zipped"] and options["count"]:
        raise UsageError("--zip and --random exclude each other.", "Use one of them.")
    if options["count"]:
        return sweeps_parameters.sample(options["count"], options["seed"], **axes)
    return sweeps_parameters.zipped(**axes) if options["zipped"] else sweeps_parameters.grid(**axes)


def _axis(text: str) -> tuple[str, list[Any]]:
    """Read ``lr=0.1,0.01``; each value is read as YAML."""
    from openpai.core.protocol import load_yaml

    key, equals, values = text.partition("=")
    if not equals or not key or not values:
        raise UsageError(f"invalid parameter '{text}'", "Write -p NAME=VALUE,VALUE.")
    return key, [load_yaml(value) for value in values.split(",")]


def _preview(app: CliApp, plan: SweepPlan, options: dict[str, Any]) -> list[dict[str, Any]]:
    """Check every job, say what they are in all, and return a row for each."""
    from openpai.cli.commands.sweep._sweep import resource_summary
    from openpai.core.sweeps import sweep_jobs

    jobs = sweep_jobs(plan.job, plan.points, options["name"])
    for one in jobs:
        one.validate()
    app.note(resource_summary(jobs, options["max_parallel"]))
    return [{"job": one.name, "status": "not sent", "error": None} for one in jobs]


def _submit(app: CliApp, plan: SweepPlan, options: dict[str, Any]) -> list[dict[str, Any]]:
    from openpai.cli.commands.sweep._sweep import next_commands, send
    from openpai.core.sweeps import Sweep

    made = Sweep.create(
        app.cluster(options["alias"]),
        plan.job,
        plan.points,
        options["name"],
        extras=plan.extras,
        base=plan.base,
        max_parallel=options["max_parallel"],
        tags=[options["tag"]] if options["tag"] else (),
    )
    count = len(plan.points)
    rows = send(app, made, count, lambda on_outcome: made.submit(on_outcome=on_outcome))
    for line in next_commands(app, made):
        app.note(line)
    return rows
