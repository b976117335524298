"""``opai job submit``: a job from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openpai.cli.commands.job._submission import change, read_job, submit_and_report
from openpai.cli.commands.job._submission_options import (
    JOB_FILE,
    submission_options,
    take_extras,
    take_wishes,
    update_option,
)
from openpai.cli.exceptions import UsageProblem
from openpai.cli.framework import CliApp, command, pass_app


@command(
    "submit",
    examples="""
    opai job submit job.yaml
    opai job submit job.yaml --update parameters:lr=0.01 --name 'train_$' --follow
    make-job | opai job submit - --vc research
    """,
)
@click.argument("file", required=False, type=JOB_FILE)
@click.option("--config", "named", type=JOB_FILE, help="The file, as an option.")
@update_option
@click.option("--no-strict", is_flag=True, help="Refuse only what the server would refuse.")
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
    """Submit a job file.

    FILE may be - for stdin. The file is checked first, and every problem is told with its line.
    Where it has an openpai.runtime section without a workspace, yours is filled in; with --src,
    --output or --pip it gets such a section.
    """
    path = file or named
    if path is None or (file and named):
        raise UsageProblem("Exactly one job file is needed.", "opai job submit FILE")
    wishes = take_wishes(options, strict=not no_strict)
    extras = take_extras(app, options)
    job = change(app, read_job(path), **options)
    context.exit(submit_and_report(app, job, extras, wishes))
