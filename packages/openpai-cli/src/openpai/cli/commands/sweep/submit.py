"""``opai job sweep``: one job and many sets of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.commands.job._submission import change, read_job
from openpai.cli.commands.job._submission_options import JOB_FILE, update_option
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, parallel_option, pass_app
from openpai.core.cli import build_spec, cluster_option, format_option, spec_options
from openpai.core.protocol import JobSpec

if TYPE_CHECKING:
    from openpai.core.sweeps import SweepPlan

#: The fields of a job spec that a sweep may set.
_FIELDS = (
    *("image", "virtual_cluster", "workspace", "sources", "outputs", "requirements", "tags"),
)


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
    "--name",
    "sweep_name",
    metavar="NAME",
    help="Name of the sweep and prefix of its job names.  [default: the job's name]",
)
@spec_options(JobSpec, *_FIELDS)
@click.option(
    "--dry-run", is_flag=True, help="List the jobs that would be submitted; submit nothing."
)
@update_option
@cluster_option
@format_option
@click.pass_context
@pass_app
def sweep(app: CliApp, context: click.Context, /, *, file: Path, **options: Any) -> None:
    from openpai.cli.commands.sweep._sweep import OUTCOME_COLUMNS

    spec = build_spec(JobSpec, options)
    with _plan(app, file, _points(options), spec) as found:
        for remark in found.remarks:
            app.note(remark)
        job = change(
            app,
            found.job,
            updates=options["updates"],
            name=None,
            virtual_cluster=spec.virtual_cluster,
        )
        plan = found._replace(job=job)
        rows = _preview(app, plan, options)
        if not options["dry_run"]:
            rows = _submit(app, plan, spec, options)
    app.emit(rows, columns=OUTCOME_COLUMNS, format=options["format_"])
    context.exit(int(any(row["status"] == "failed" for row in rows)))


@contextmanager
def _plan(
    app: CliApp, file: Path, points: list[dict[str, Any]], spec: JobSpec
) -> Iterator[SweepPlan]:
    """Read a job file, or have another kind of file read by the distribution that supports it."""
    from openpai.core.client import Extras
    from openpai.core.entry_points import entry_points
    from openpai.core.sweeps import SWEEPS_GROUP, SweepPlan

    reader = entry_points(SWEEPS_GROUP).get(file.suffix[1:])
    if reader is None:
        if spec.image:
            raise UsageError("A job file names its own image.", "Leave out --image.")
        spec = spec.with_defaults(app.default, "sources", "requirements", "workspace")
        yield SweepPlan(read_job(file), points, Extras.from_spec(spec))
        return
    with reader.load()(file, points, spec) as plan:
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
    """Validate every job, report the resources of all, and return a row for each."""
    from openpai.cli.commands.sweep._sweep import resource_summary
    from openpai.core.sweeps import sweep_jobs

    jobs = sweep_jobs(plan.job, plan.points, options["sweep_name"])
    for one in jobs:
        one.validate()
    app.note(resource_summary(jobs, options["max_parallel"]))
    return [{"job": one.name, "status": "not sent", "error": None} for one in jobs]


def _submit(
    app: CliApp, plan: SweepPlan, spec: JobSpec, options: dict[str, Any]
) -> list[dict[str, Any]]:
    from openpai.cli.commands.sweep._sweep import next_commands, send
    from openpai.core.sweeps import Sweep

    made = Sweep.create(
        app.cluster(options["alias"]),
        plan.job,
        plan.points,
        options["sweep_name"],
        extras=plan.extras,
        base=plan.base,
        max_parallel=options["max_parallel"],
        tags=spec.tags,
    )
    count = len(plan.points)
    rows = send(app, made, count, lambda on_outcome: made.submit(on_outcome=on_outcome))
    for line in next_commands(app, made):
        app.note(line)
    return rows
