"""The command ``opai job ssh``."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, job_argument

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob

__all__ = [
    "ssh",
]


@command(
    "ssh",
    help="The job must have enabled the ssh plugin of PAI's runtime.",
    examples="""
    opai job ssh train
    opai job ssh train --role worker --index 2 -i ~/.ssh/pai -- nvidia-smi
    """,
)
@job_argument
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- SSH-ARGUMENTS...]")
@click.option("--role", help="Task role; needed if the job has several.")
@click.option(
    "--index", type=click.IntRange(min=0), default=0, metavar="N", help="Task index.  [default: 0]"
)
@click.option(
    "-i", "key", type=click.Path(exists=True), metavar="FILE", help="Private key file for ssh."
)
@click.option("--dry-run", is_flag=True, help="Print the ssh command; do not run it.")
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
    host, port = _address(app.cluster(alias).job(job), role, index)
    words = ["ssh", "-p", port, *(("-i", key) if key else ()), f"root@{host}", *arguments]
    if dry_run:
        app.console.print(shlex.join(words))
        return
    sys.stdout.flush()
    os.execvp("ssh", words)  # noqa: S606 - the user's own ssh, no shell


def _address(job: RemoteJob, role: str | None, index: int) -> tuple[str, str]:
    """Return host and port of a task's sshd.

    Raises:
        NotFoundError: There is no such task, or it does not run.
    """
    from openpai.core.errors import NotFoundError
    from openpai.core.protocol import convert_name

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
