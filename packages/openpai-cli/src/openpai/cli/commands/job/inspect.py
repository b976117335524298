"""``opai job events|tasks|tag|open|ssh``: look closer at a job, and get to it."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._options import cluster_option, format_option, job_argument

if TYPE_CHECKING:
    from openpai.core.client.remote_job import RemoteJob

EVENT_COLUMNS = [
    ("LAST", "lastTimestamp"),
    ("TYPE", "type"),
    ("COUNT", "count"),
    ("TASK", "task"),
    ("REASON", "reason"),
    ("MESSAGE", "message"),
]
TAG_COLUMNS = [("TAG", "tag")]


@command("events", examples="opai job events train\nopai job events train --type Warning -o json")
@job_argument
@click.option("--type", "kind", type=click.Choice(("Normal", "Warning")), help="Only of this type.")
@cluster_option
@format_option
@pass_app
def events(app: CliApp, /, *, job: str, kind: str | None, alias: str | None, format_: str) -> None:
    """List what happened to a job.

    The latest is first. These are the events of Kubernetes: placing, pulling images, starting and
    killing containers.
    """
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


@command("tasks", examples="opai job tasks train\nopai job tasks train --attempt 0 -o json")
@job_argument
@click.option("--attempt", type=click.IntRange(min=0), metavar="N", help="An earlier attempt.")
@cluster_option
@format_option
@pass_app
def tasks(
    app: CliApp, /, *, job: str, attempt: int | None, alias: str | None, format_: str
) -> None:
    """List the tasks of a job's latest attempt.

    The keys in JSON are those of the tasks in 'job status'.
    """
    from openpai.cli.commands.job.status import TASK_COLUMNS, task_row

    detail = app.cluster(alias).job(job).status(attempt=attempt)
    rows = [task_row(role, task) for role, task in detail.tasks()]
    app.emit(rows, columns=TASK_COLUMNS, format=format_)
    if not rows and format_ == "table":
        app.note(f"{detail.key} is {detail.state} and has no tasks yet.")


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
@click.option("--delete", "deleted", multiple=True, metavar="TAG", help="Take a tag off.")
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
    """Tag a job, or list its tags."""
    remote = app.cluster(alias).job(job)
    for name in tags:
        remote.add_tag(name)
    for name in deleted:
        remote.delete_tag(name)
    if not tags and not deleted:
        rows = [{"tag": name} for name in remote.status().tags]
        app.emit(rows, columns=TAG_COLUMNS, format=format_)


@command("open", examples="opai job open train\nopai job open train --print")
@job_argument
@click.option("--print", "only_print", is_flag=True, help="Print the address only.")
@cluster_option
@pass_app
def open_(app: CliApp, job: str, only_print: bool, alias: str | None) -> None:
    """Open a job's page in the web portal.

    Without a terminal the address is printed and nothing is opened.
    """
    remote = app.cluster(alias).job(job)
    remote.status()
    app.console.data(remote.url)
    if not only_print and app.console.is_interactive:
        click.launch(remote.url)


@command(
    "ssh",
    examples="""
    opai job ssh train
    opai job ssh train --role worker --index 2 -i ~/.ssh/pai -- nvidia-smi
    """,
)
@job_argument
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- SSH-ARGUMENTS...]")
@click.option("--role", help="The task role, if there are several.")
@click.option("--index", type=click.IntRange(min=0), default=0, help="The task.  [default: 0]")
@click.option("-i", "key", type=click.Path(exists=True), metavar="FILE", help="A private key.")
@click.option("--dry-run", is_flag=True, help="Print the command, run nothing.")
@cluster_option
@pass_app
def ssh(
    app: CliApp,
    /,
    *,
    job: str,
    arguments: tuple[str, ...],
    role: str | None,
    index: int,
    key: str | None,
    dry_run: bool,
    alias: str | None,
) -> None:
    """Log in to the container of a task that runs.

    The job must have asked for it with the ssh plugin of PAI's runtime.
    """
    host, port = _address(app.cluster(alias).job(job), role, index)
    words = ["ssh", "-p", port, *(("-i", key) if key else ()), f"root@{host}", *arguments]
    if dry_run:
        app.console.data(shlex.join(words))
        return
    sys.stdout.flush()
    os.execvp("ssh", words)  # noqa: S606 - the user's own ssh, no shell


def _address(job: RemoteJob, role: str | None, index: int) -> tuple[str, str]:
    """Return host and port of a task's sshd.

    Raises:
        NotFoundError: There is no such task, or it does not run.
    """
    from openpai.core.errors import NotFoundError
    from openpai.core.protocol.names import convert_name

    wanted = role and convert_name(role)
    for name, task in job.tasks():
        if name == (wanted or name) and task.index == index and task.state == "RUNNING":
            port: Any = str(task.container_ports.get("ssh", "")).partition(",")[0]
            if task.container_ip and port:
                return task.container_ip, port
    raise NotFoundError(
        f"{job.key} has no task {role or 'of any role'}-{index} that runs.",
        status=404,
        hint=f"See: opai job tasks {job.key}",
    )
