"""``opai job submit``: a job from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openpai.cli.commands.job._submission import change, read_job, submit_and_report
from openpai.cli.commands.job._submission_options import (
    JOB_FILE,
    parse_extras,
    parse_submit_options,
    submission_options,
    update_option,
)
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app


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
@click.option("--no-strict", is_flag=True, help="Report only what the server would reject.")
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
    wishes = parse_submit_options(options, strict=not no_strict)
    extras = parse_extras(app, options)
    job = change(app, read_job(path), **options)
    context.exit(submit_and_report(app, job, extras, wishes))
