"""``opai job sub``: a job of one command."""

from __future__ import annotations

from typing import Any

import click

from openpai.cli.commands.job._job_options import describe, description_options
from openpai.cli.commands.job._submission import submit_and_report
from openpai.cli.commands.job._submission_options import (
    is_random,
    submission_options,
    take_extras,
    take_wishes,
)
from openpai.cli.exceptions import UsageProblem
from openpai.cli.framework import CliApp, command, completion as _complete, pass_app


@command(
    "sub",
    examples="""
    opai job sub --image python:3.11 -- python -c 'print("hello")'
    opai job sub --image pytorch:2 --gpu 1 --src src --output 'ckpt/**' python src/train.py
    opai job sub --image python:3.11 train.py --lr 0.1      # a script of this folder
    opai job sub --image ubuntu:24.04 --follow 'nvidia-smi | tee gpus.txt && sleep 60'
    """,
    context_settings={"allow_interspersed_args": False},
)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="[--] COMMAND...",
    type=click.UNPROCESSED,
    shell_complete=_complete.files,
)
@description_options
@submission_options
@click.pass_context
@pass_app
def sub(app: CliApp, context: click.Context, /, *, words: tuple[str, ...], **options: Any) -> None:
    """Submit one command as a job.

    A command of several words reaches the container exactly as it is: quotes, $ and && are no
    syntax there. One single word, as in the last example, is a line for the shell. Where the first
    word is a Python script of this folder, it is sent along, and run by python3 with the packages
    that it names in a '# /// script' block (PEP 723).

    With --wait or --follow the exit code is the job's own.
    """
    from openpai.cli.commands.job._script import as_script

    if len(words) > 1 and " " in words[0]:
        raise UsageProblem(
            f"'{words[0]}' is a line for the shell, and {' '.join(words[1:])} comes after it.",
            "Put the options of opai before the line, or write a program and its arguments apart.",
        )
    wishes = take_wishes(options, random_name=is_random(options["name"]))
    words, extras = as_script(words, take_extras(app, options))
    job = describe(app, words, options)
    context.exit(submit_and_report(app, job, extras, wishes))
