"""The command ``opai job tag``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option, job_argument

__all__ = [
    "TAG_COLUMNS",
    "tag",
]


TAG_COLUMNS = [("TAG", "tag")]


@command(
    "tag",
    examples="""
    opai job tag train                     # its tags
    opai job tag train good baseline
    opai job tag train --delete draft
    """,
)
@job_argument
@click.argument("tags", nargs=-1)
@click.option(
    "--delete", "deleted", multiple=True, metavar="TAG", help="Tag to remove (repeatable)."
)
@cluster_option
@format_option
@pass_app
def tag(
    app: CliApp,
    /,
    *,
    job: str,
    tags: tuple[str, ...],
    deleted: tuple[str, ...],
    alias: str | None,
    format_: str,
) -> None:
    remote = app.cluster(alias).job(job)
    for name in tags:
        remote.add_tag(name)
    for name in deleted:
        remote.delete_tag(name)
    if not tags and not deleted:
        rows = [{"tag": name} for name in remote.status().tags]
        app.emit(rows, columns=TAG_COLUMNS, format=format_)
