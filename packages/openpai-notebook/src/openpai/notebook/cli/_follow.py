"""Follow a notebook's job and download its result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from openpai.notebook.errors import NotebookError

if TYPE_CHECKING:
    from openpai.core.cli import App
    from openpai.notebook.jobs import NotebookJob

__all__ = ["job_words", "wait_and_fetch"]


def wait_and_fetch(app: App, job: NotebookJob, folder: Path) -> int:
    """Follow a job to its end, download its result, and return its exit code.

    Of an interactive job that has not ended the server's address is printed instead.
    """
    if job.facts["mode"] == "interactive" and not job.status().ended:
        app.note("Waiting for the Jupyter server.")
        click.echo(job.server_url())
        app.note(f"It runs until it is stopped: opai job stop {job_words(job)}")
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


def job_words(job: NotebookJob) -> str:
    """Return the arguments that name a job: ``-a ALIAS JOB``."""
    return f"-a {job.cluster.alias} {job.key}" if job.cluster.alias else job.key
