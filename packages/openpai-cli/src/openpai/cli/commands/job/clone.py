"""``opai job clone|start``: a job once more."""

from __future__ import annotations

from typing import Any

import click

from openpai.cli.commands.job._submission import change, submit_and_report
from openpai.cli.commands.job._submission_options import (
    is_random,
    job_name,
    submission_options,
    take_extras,
    take_wishes,
    update_option,
)
from openpai.cli.framework import CliApp, command, job_argument, pass_app


@command(
    "clone",
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
    """Submit a job once more.

    The copy has another name and the changes that are given. The code of the first job is used
    where it lies, unless --src brings other code. Secrets cannot be read back from a server: set
    them with --update.
    """
    from openpai.core.client import copy_of
    from openpai.core.protocol import random_letters

    wishes = take_wishes(options, random_name=is_random(options["name"]))
    extras = take_extras(app, options, with_defaults=False)
    remote = app.cluster(wishes.alias).job(job)
    name = job_name(options.pop("name")) or f"{remote.name[:240]}_{random_letters(6)}"
    copy = change(app, copy_of(remote, name), name=None, **options)
    context.exit(submit_and_report(app, copy, extras, wishes))
