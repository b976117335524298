"""The command ``opai notebook connect``."""

from __future__ import annotations

from pathlib import Path

import click

from openpai.core.cli import LOCAL_PATH, Command, cluster_option, current_app, job_argument
from openpai.notebook.cli._follow import wait_and_fetch

__all__ = ["connect"]


@click.command(
    "connect",
    cls=Command,
    examples="""
    opai notebook connect train-lr-0.1
    opai notebook connect train-lr-0.1 --to results
    """,
)
@job_argument
@click.option(
    "--to", "target", type=LOCAL_PATH, default=Path(), help="Folder to write to.  [default: .]"
)
@cluster_option
@click.pass_context
def connect(context: click.Context, /, job: str, target: Path, alias: str | None) -> None:
    """Follow the job of a notebook and download the result.

    Prints the log until the job has ended and downloads the executed notebook. Of an interactive
    job it prints the address of the Jupyter server.
    """
    from openpai.notebook.jobs import NotebookJob

    app = current_app(context)
    cluster = app.cluster(alias)
    found = NotebookJob(cluster, cluster.job(job).key)
    app.note(f"{found.key} runs {found.facts['notebook']}.")
    context.exit(wait_and_fetch(app, found, target))
