"""``opai job sub``: a job of one command."""

from __future__ import annotations

from typing import Any

import click

from openpai.cli.commands.job._submission import submit_and_report
from openpai.cli.commands.job._submission_options import parse_submit_options, submit_options
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import build_spec, complete_files, spec_options
from openpai.core.protocol import JobSpec


@command(
    "sub",
    help="""
    A command of several words reaches the container exactly as it is: quotes, $ and && are not
    interpreted. A single word, as in the last example, is a shell command line. If the first
    word is a Python script of this folder, it is uploaded and run by python3 with the packages
    in its '# /// script' block (PEP 723).

    With --wait or --follow the exit code is the job's own.
    """,
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
    shell_complete=complete_files,
)
@spec_options(JobSpec)
@click.option("--no-browser", is_flag=True, hidden=True, expose_value=False)
@submit_options
@click.pass_context
@pass_app
def sub(app: CliApp, context: click.Context, /, *, words: tuple[str, ...], **options: Any) -> None:
    from openpai.cli.commands.job._script import as_script
    from openpai.core.protocol import command_line, default_name

    if len(words) > 1 and " " in words[0]:
        raise UsageError(
            f"'{words[0]}' is a shell command line, but {' '.join(words[1:])} follows it.",
            "Put the options of opai before it, or write program and arguments as separate words.",
        )
    spec = build_spec(JobSpec, options)
    submission = parse_submit_options(options, random_name=spec.has_random_name)
    words, spec = as_script(words, spec.with_defaults(app.default))
    job = spec.to_job([command_line(words)], default_name(words))
    context.exit(submit_and_report(app, job, spec, submission))
