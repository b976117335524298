"""The command ``opai notebook submit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.core.cli import (
    LOCAL_FILE,
    LOCAL_PATH,
    Command,
    build_spec,
    cluster_option,
    current_app,
    spec_options,
)
from openpai.notebook.cli._follow import job_words, wait_and_fetch
from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.jobs import NotebookJobSpec

if TYPE_CHECKING:
    from openpai.core.cli import App
    from openpai.notebook.jobs import Description, NotebookJob

__all__ = ["submit"]

#: What a Jupyter server shows where no file was named.
_EMPTY = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}


#: Fields of the job spec that ``notebook submit`` may set.
_FIELDS = (
    *("mode", "token", "image", "gpu", "cpu", "memory", "name", "virtual_cluster", "workspace"),
    *("sources", "folder", "outputs", "requirements", "freeze", "kernel", "python"),
    *("allow_errors", "html"),
)


@click.command(
    "submit",
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
@click.option("--interactive", is_flag=True, help="Short for --mode interactive.")
@spec_options(NotebookJobSpec, *_FIELDS)
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait for the job and download the executed notebook.  [default: wait]",
)
@click.option(
    "--to", "target", type=LOCAL_PATH, default=Path(), help="Folder to write to.  [default: .]"
)
@click.option(
    "--dry-run", "--preview", "dry_run", is_flag=True, help="Show the job; submit nothing."
)
@click.option("--no-browser", is_flag=True, hidden=True, expose_value=False)
@cluster_option
@click.pass_context
def submit(context: click.Context, /, **options: Any) -> None:
    """Run a notebook as a job.

    Prints the job's log to stderr. At the end, also after a failed cell, it downloads the executed
    notebook and prints the path of its file. The exit code is the job's own. Outputs are relative
    to the notebook's folder.

    With --interactive, or without FILE, the job runs a Jupyter server. Its address with the token
    is printed when the server answers; the job runs until it is stopped.
    """
    from openpai.notebook.jobs import describe

    app = current_app(context)
    options["target"].mkdir(parents=True, exist_ok=True)  # before anything is sent
    controls = {key: options.pop(key) for key in ("wait", "target", "dry_run", "alias")}
    with describe(_spec(options)) as description:
        for remark in description.remarks:
            app.note(remark)
        if controls["dry_run"]:
            _show(app, description, controls["alias"])
            return
        job = _send(app, description, controls["alias"])
    if not controls["wait"]:
        click.echo(job.key)
        app.note(f"Follow it: opai notebook connect {job_words(job)}")
        return
    context.exit(wait_and_fetch(app, job, controls["target"]))


def _spec(options: dict[str, Any]) -> NotebookJobSpec:
    """Return the spec of the options, with parameters and layered defaults."""
    from openpai.notebook.jobs import complete_spec

    file = options.pop("file")
    more: dict[str, Any] = {"path": file}
    if file is None:
        more = {"document": _EMPTY}
    if options.pop("interactive") or file is None:
        more["mode"] = "interactive"
    more["parameters"] = _parameters(
        *(options.pop(key) for key in ("parameters_file", "values", "texts"))
    )
    return complete_spec(build_spec(NotebookJobSpec, options, **more))


def _parameters(
    file: Path | None, values: tuple[str, ...], texts: tuple[str, ...]
) -> dict[str, Any]:
    """Collect the parameters; the command line is stronger than the file."""
    from openpai.notebook.formats import infer_value, parse_assignment

    found: dict[str, Any] = dict(_from_file(file)) if file else {}
    for name, text in map(parse_assignment, values):
        found[name] = infer_value(text)
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
