"""``opai job events|tasks|tag|open|ssh``: look closer at a job, and get to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option, job_argument

if TYPE_CHECKING:
    pass

EVENT_COLUMNS = [
    ("LAST", "lastTimestamp"),
    ("TYPE", "type"),
    ("COUNT", "count"),
    ("TASK", "task"),
    ("REASON", "reason"),
    ("MESSAGE", "message"),
]


@command(
    "events",
    help="""
    The latest event is first. These are Kubernetes events: scheduling, pulling images, starting
    and killing containers.
    """,
    examples="opai job events train\nopai job events train --type Warning -o json",
)
@job_argument
@click.option(
    "--type", "kind", type=click.Choice(("Normal", "Warning")), help="Only events of this type."
)
@cluster_option
@format_option
@pass_app
def events(app: CliApp, /, *, job: str, kind: str | None, alias: str | None, format_: str) -> None:
    rows = [
        {
            "type": event.type,
            "reason": event.reason,
            "message": event.message,
            "task": f"{event.task_role}-{event.task_index}" if event.task_role else None,
            "count": event.count,
            "firstTimestamp": event.first_timestamp,
            "lastTimestamp": event.last_timestamp,
        }
        for event in app.cluster(alias).job(job).events(kind)
    ]
    app.emit(rows, columns=EVENT_COLUMNS, format=format_)
    if not rows and format_ == "table":
        app.note("No events.")
