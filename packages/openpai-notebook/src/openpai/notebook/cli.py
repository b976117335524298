"""``opai notebook``, and the only module of this distribution that knows click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.core.cli import (
    CONTEXT_SETTINGS,
    LOCAL_FILE,
    LOCAL_PATH,
    Command,
    cluster_option,
    current_app,
    job_argument,
)
from openpai.notebook.errors import InvalidNotebookError, NotebookError

if TYPE_CHECKING:
    from openpai.core.cli import App
    from openpai.notebook.jobs import Description, NotebookJob, Request

__all__ = ["notebook"]

#: What a Jupyter server shows where no file was named.
_EMPTY = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}


@click.group(context_settings=CONTEXT_SETTINGS)
def notebook() -> None:
    """Run notebooks as jobs and get them back executed."""


@notebook.command(
    cls=Command,
    examples="""
    opai notebook submit train.ipynb -p lr=0.1 --image IMAGE --gpu 1
    opai notebook submit train.ipynb --mode script --no-wait
    opai notebook submit --interactive --image IMAGE   # a Jupyter server in a job
    """,
)
@click.argument("file", type=LOCAL_FILE, required=False)
@click.option(
    "-p",
    "--parameter",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a parameter: a number, True, None or text (repeatable).",
)
@click.option(
    "-r",
    "--raw",
    "texts",
    multiple=True,
    metavar="NAME=TEXT",
    help="Text value of a parameter, never converted (repeatable).",
)
@click.option("--parameters-file", type=LOCAL_FILE, help="YAML or JSON file of parameters.")
@click.option(
    "--mode",
    type=click.Choice(["silent", "script", "interactive"]),
    default="silent",
    help="Execute the notebook, run it as a script, or serve it.  [default: silent]",
)
@click.option("--interactive", is_flag=True, help="Short for --mode interactive.")
@click.option(
    "--token",
    "--notebook-token",
    "token",
    help="Token of the Jupyter server.  [default: a random one]",
)
@click.option("-i", "--image", help="Docker image.")
@click.option("--gpu", metavar="N", type=click.IntRange(min=0), help="GPUs.  [default: 0]")
@click.option("--cpu", metavar="N", type=click.IntRange(min=1), help="CPUs.  [default: 2]")
@click.option("--mem", metavar="SIZE", help="Memory, such as 8g.  [default: 4g]")
@click.option(
    "--memoryMB", "memory_mb", metavar="N", type=click.IntRange(min=1), help="The same in MiB."
)
@click.option(
    "-j",
    "--name",
    "--job-name",
    "name",
    help="Job name; each $ becomes random letters.  [default: generated]",
)
@click.option("--vc", "--virtual-cluster", "virtual_cluster", help="Virtual cluster to submit to.")
@click.option(
    "-w", "--workspace", metavar="[NAME:]/PATH", help="Folder for code and outputs, on a storage."
)
@click.option(
    "--src",
    "--sources",
    "sources",
    multiple=True,
    type=LOCAL_PATH,
    help="A file or folder that the notebook needs.",
)
@click.option("--folder", "whole_folder", is_flag=True, help="Upload the notebook's whole folder.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="GLOB",
    help="What else to save, relative to the notebook.",
)
@click.option("--pip", "--pip-installs", "requirements", multiple=True, help="A package it needs.")
@click.option(
    "--freeze", is_flag=True, help="Install all packages of this Python environment in the job."
)
@click.option("--kernel", help="Jupyter kernel to use.  [default: the notebook's own]")
@click.option(
    "--python", default="python3", help="Python program in the image.  [default: python3]"
)
@click.option("--allow-errors", is_flag=True, help="Continue after a failed cell.")
@click.option(
    "--html/--no-html", default=True, help="Also save the executed notebook as a web page."
)
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait for the job and download the executed notebook.  [default: wait]",
)
@click.option(
    "--to", "folder", type=LOCAL_PATH, default=Path(), help="Folder to write to.  [default: .]"
)
@click.option(
    "--dry-run", "--preview", "dry_run", is_flag=True, help="Show the job; submit nothing."
)
@click.option("--no-browser", is_flag=True, hidden=True, expose_value=False)
@cluster_option
@click.pass_context
def submit(context: click.Context, /, **options: Any) -> None:
    """Run a notebook as a job.

    The job's log is followed on stderr; at the end the executed notebook is fetched, also after a
    failed cell, and the path of its file is written to stdout. The exit code is the job's own.

    With --interactive, or without FILE, a Jupyter server runs in the job. The address with its
    token is written to stdout once the server answers; the job goes on until it is stopped.
    """
    from openpai.notebook.jobs import describe

    app = current_app(context)
    options["folder"].mkdir(parents=True, exist_ok=True)  # before anything is sent
    wishes = {key: options.pop(key) for key in ("wait", "folder", "dry_run", "alias")}
    with describe(_request(options)) as description:
        for remark in description.remarks:
            app.note(remark)
        if wishes["dry_run"]:
            _show(app, description, wishes["alias"])
            return
        job = _send(app, description, wishes["alias"])
    if not wishes["wait"]:
        click.echo(job.key)
        app.note(f"Follow it: opai notebook connect {_named(job)}")
        return
    context.exit(_see_through(app, job, wishes["folder"]))


@notebook.command(
    cls=Command,
    examples="""
    opai notebook connect train-lr-0.1
    opai notebook connect train-lr-0.1 --to results
    """,
)
@job_argument
@click.option(
    "--to", "folder", type=LOCAL_PATH, default=Path(), help="Folder to write to.  [default: .]"
)
@cluster_option
@click.pass_context
def connect(context: click.Context, /, job: str, folder: Path, alias: str | None) -> None:
    """Follow the job of a notebook and download the result.

    Its log is followed to the end and the executed notebook fetched. Of an interactive job the
    address of its Jupyter server is written.
    """
    from openpai.notebook.jobs import NotebookJob

    app = current_app(context)
    cluster = app.cluster(alias)
    found = NotebookJob(cluster, cluster.job(job).key)
    app.note(f"{found.key} runs {found.facts['notebook']}.")
    context.exit(_see_through(app, found, folder))


def _request(options: dict[str, Any]) -> Request:
    """Read the parameters, and let the layered defaults fill the gaps."""
    from openpai.notebook.jobs import make_request

    if options.pop("interactive") or options["file"] is None:
        options["mode"] = "interactive"
    if options["file"] is None:
        options.update(file=Path("Untitled.ipynb"), document=_EMPTY)
    memory = options.pop("memory_mb")
    memory = options.pop("mem") or memory
    parameters = _parameters(*(options.pop(key) for key in ("parameters_file", "values", "texts")))
    options["folder"] = options.pop("whole_folder")
    return make_request(path=options.pop("file"), parameters=parameters, memory=memory, **options)


def _parameters(
    file: Path | None, values: tuple[str, ...], texts: tuple[str, ...]
) -> dict[str, Any]:
    """Collect the parameters; the command line is stronger than the file."""
    from openpai.notebook.formats import infer, parse_assignment

    found: dict[str, Any] = dict(_from_file(file)) if file else {}
    for name, text in map(parse_assignment, values):
        found[name] = infer(text)
    found.update(map(parse_assignment, texts))
    return found


def _from_file(file: Path) -> dict[str, Any]:
    from openpai.core.protocol import load_yaml

    try:
        found = load_yaml(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InvalidNotebookError(f"'{file}' is not UTF-8 text.") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise InvalidNotebookError(f"'{file}' does not hold a map of names to values.")
    return found


def _show(app: App, description: Description, alias: str | None) -> None:
    """Write the job as it would be submitted."""
    from openpai.core.client import prepare_job
    from openpai.core.protocol import mask_secrets

    job = prepare_job(
        description.job, app.cluster(alias), description.extras, base=description.base, send=False
    )
    job.validate()
    click.echo(mask_secrets(job.to_yaml()), nl=False)


def _send(app: App, description: Description, alias: str | None) -> NotebookJob:
    from openpai.notebook.jobs import send

    job = send(description, app.cluster(alias))
    app.note(f"Submitted {job.key} to {job.cluster.alias or job.cluster.uri}.")
    return job


def _see_through(app: App, job: NotebookJob, folder: Path) -> int:
    """Follow the job to its end, fetch what it made, and return its exit code.

    An interactive job that has not ended is seen through when its server answers.
    """
    if job.facts["mode"] == "interactive" and not job.status().ended:
        app.note("Waiting for the Jupyter server.")
        click.echo(job.server_url())
        app.note(f"It runs until it is stopped: opai job stop {_named(job)}")
        return 0
    code = app.follow(job, app.note)
    try:
        path = job.fetch(folder)
    except NotebookError as error:
        app.note(str(error))
        return code or 1
    click.echo(path)
    for name, value in job.results().items():
        app.note(f"{name} = {value!r}")
    return code


def _named(job: NotebookJob) -> str:
    return f"-a {job.cluster.alias} {job.key}" if job.cluster.alias else job.key
