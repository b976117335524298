"""``opai job clone|start``: a job once more."""

from __future__ import annotations

from typing import Any

import click

from openpai.cli.commands.job._submission import change, submit_and_report
from openpai.cli.commands.job._submission_options import (
    is_random,
    job_name,
    parse_extras,
    parse_submit_options,
    submission_options,
    update_option,
)
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import job_argument


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
    from openpai.core.protocol import random_letters

    wishes = parse_submit_options(options, random_name=is_random(options["name"]))
    extras = parse_extras(app, options, with_defaults=False)
    remote = app.cluster(wishes.alias).job(job)
    name = job_name(options.pop("name")) or f"{remote.name[:240]}_{random_letters(6)}"
    copy = change(app, copy_of(remote, name), name=None, **options)
    context.exit(submit_and_report(app, copy, extras, wishes))
