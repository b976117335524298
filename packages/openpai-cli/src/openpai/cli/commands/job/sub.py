"""``opai job sub``: a job of one command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command
from openpai.cli._options import mebibytes
from openpai.cli._submission import (
    job_name,
    submission_options,
    submit_and_report,
    take_extras,
    take_wishes,
)

if TYPE_CHECKING:
    from openpai.core.protocol.job import Job


@command(
    "sub",
    examples="""
    opai job sub --image python:3.11 -- python -c 'print("hello")'
    opai job sub --image pytorch:2 --gpu 1 --src src --output 'ckpt/**' python src/train.py
    opai job sub --image ubuntu:24.04 --follow 'nvidia-smi | tee gpus.txt && sleep 60'
    """,
    context_settings={"allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, required=True, metavar="[--] COMMAND...", type=click.UNPROCESSED)
@click.option("-i", "--image", help="The docker image.")
@click.option(
    "--gpu", metavar="N", type=click.IntRange(min=0), help="GPUs of each instance.  [default: 0]"
)
@click.option(
    "--cpu", metavar="N", type=click.IntRange(min=1), help="CPUs of each instance.  [default: 2]"
)
@click.option("--mem", type=mebibytes, metavar="SIZE", help="Memory, such as 8g.  [default: 4g]")
@click.option(
    "--memoryMB", "memory_mb", metavar="N", type=click.IntRange(min=1), help="The same in MiB."
)
@click.option(
    "--instances", metavar="N", type=click.IntRange(min=1), default=1, help="How many tasks run."
)
@click.option("--role", default="main", help="The task role's name.  [default: main]")
@click.option("-e", "--env", "variables", multiple=True, metavar="K[=V]", help="A variable.")
@click.option("--port", "ports", multiple=True, metavar="LABEL[=N]", help="Ports of each instance.")
@click.option("--no-browser", is_flag=True, hidden=True, expose_value=False)
@submission_options
@click.pass_context
@pass_app
def sub(app: CliApp, context: click.Context, /, *, words: tuple[str, ...], **options: Any) -> None:
    """Submit one command as a job.

    A command of several words reaches the container exactly as it is: quotes, $ and && are no
    syntax there. One single word, as in the last example, is a line for the shell.

    With --wait or --follow the exit code is the job's own.
    """
    wishes = take_wishes(options)
    extras = take_extras(app, options)
    job = _describe(app, words, **options)
    context.exit(submit_and_report(app, job, extras, wishes))


def _describe(
    app: CliApp,
    words: tuple[str, ...],
    *,
    name: str | None,
    image: str | None,
    variables: tuple[str, ...],
    ports: tuple[str, ...],
    virtual_cluster: str | None,
    **shape: Any,
) -> Job:
    from openpai.core.command_job import command_job, command_line, default_name

    image = image or app.default("image")
    if not image:
        raise UsageProblem("The job needs an image.", "Add --image IMAGE, or: opai set image=IMAGE")
    return command_job(
        job_name(name) or default_name(words),
        [command_line(words)],
        image=image,
        virtual_cluster=virtual_cluster or app.default("virtual-cluster"),
        environment=dict(map(_variable, variables)),
        ports=dict(map(_port, ports)),
        **_resources(app, **shape),
    )


def _resources(
    app: CliApp, *, mem: int | None, memory_mb: int | None, **shape: Any
) -> dict[str, Any]:
    """Fill in the layered defaults; a size with a unit wins over MiB, as it always did."""
    for key in ("gpu", "cpu"):
        shape[key] = app.default(key) if shape[key] is None else shape[key]
    if mem is None and memory_mb is None:
        default = app.default("mem")
        mem = None if default is None else mebibytes(str(default))
    memory = mem or memory_mb or app.default("memoryMB")
    return {**shape, "memory_mb": memory}


def _variable(text: str) -> tuple[str, str]:
    """Read ``K=V``, or ``K`` with the value that it has here."""
    key, equals, value = text.partition("=")
    if not key.isidentifier() or not key.isascii():
        raise UsageProblem(f"'{key}' cannot be a variable's name.", "Write -e NAME=VALUE.")
    if not equals and key not in os.environ:
        raise UsageProblem(f"The variable '{key}' is not set here.", f"Write -e {key}=VALUE.")
    return key, value if equals else os.environ[key]


def _port(text: str) -> tuple[str, int]:
    """Read ``LABEL=COUNT``, or ``LABEL`` for one port."""
    label, _, count = text.partition("=")
    if not count.isdigit() and count:
        raise UsageProblem(f"'{count}' is no number of ports.", "Write --port LABEL=COUNT.")
    return label, int(count or 1)
