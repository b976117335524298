"""``opai job submit``: a job from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openpai.cli.commands.job._submission import change, read_job, submit_and_report
from openpai.cli.commands.job._submission_options import (
    JOB_FILE,
    no_strict_option,
    parse_submit_options,
    submission_options,
    update_option,
)
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import build_spec
from openpai.core.protocol import JobSpec


@command(
    "submit",
    help="""
    FILE may be - for stdin. The file is validated first; every problem is reported with its
    line. If it has an openpai.runtime section without a workspace, yours is filled in; --src,
    --output and --pip add such a section.
    """,
    examples="""
    opai job submit job.yaml
    opai job submit job.yaml --update parameters:lr=0.01 --name 'train_$' --follow
    make-job | opai job submit - --vc research
    """,
)
@click.argument("file", required=False, type=JOB_FILE)
@click.option("--config", "named", type=JOB_FILE, help="Job file (instead of the argument FILE).")
@update_option
@no_strict_option
@submission_options
@click.pass_context
@pass_app
def submit(
    app: CliApp,
    context: click.Context,
    /,
    *,
    file: Path | None,
    named: Path | None,
    no_strict: bool,
    **options: Any,
) -> None:
    path = file or named
    if path is None or (file and named):
        raise UsageError("Exactly one job file is needed.", "opai job submit FILE")
    spec = build_spec(JobSpec, options)
    spec = spec.with_defaults(app.default, "sources", "requirements", "workspace")
    submission = parse_submit_options(options, strict=not no_strict)
    job = change(
        app,
        read_job(path),
        updates=options["updates"],
        name=spec.name,
        virtual_cluster=spec.virtual_cluster,
    )
    context.exit(submit_and_report(app, job, spec, submission))
