"""``opai job clone|start``: a job once more."""

from __future__ import annotations

from typing import Any

import click

from openpai.cli.commands.job._submission import change, submit_and_report
from openpai.cli.commands.job._submission_options import (
    parse_submit_options,
    submission_options,
    update_option,
)
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import build_spec, job_argument
from openpai.core.protocol import JobSpec


@command(
    "clone",
    help="""
    The copy gets another name and the given changes. It uses the code of the original job,
    unless --src gives other code. Secrets cannot be read back from a server: set them with
    --update.
    """,
    examples="""
    opai job clone train
    opai job clone train --name train_lr2 --update parameters:lr=0.02 --follow
    opai job clone bob~train --dry-run
    """,
)
@job_argument
@update_option
@submission_options
@click.pass_context
@pass_app
def clone(app: CliApp, context: click.Context, /, *, job: str, **options: Any) -> None:
    from openpai.core.client import copy_of
    from openpai.core.protocol import expand_name, random_letters

    spec = build_spec(JobSpec, options)
    submission = parse_submit_options(options, random_name=spec.has_random_name)
    remote = app.cluster(submission.alias).job(job)
    name = expand_name(spec.name) if spec.name else f"{remote.name[:240]}_{random_letters(6)}"
    copy = change(
        app,
        copy_of(remote, name),
        updates=options["updates"],
        name=None,
        virtual_cluster=spec.virtual_cluster,
    )
    context.exit(submit_and_report(app, copy, spec, submission))
