"""``opai output peek``: look into a file that a job saved, or is still writing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, complete_outputs, job_argument

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob
    from openpai.core.storage import Storage

_PIECE = 1 << 20
_PAUSE = 1.0


@command(
    "peek",
    help="""
    PATH is relative to the job's output folder, as in 'output list'. With --follow the command
    waits for a file that does not exist yet; the exit code is 0 whatever the job's end.
    """,
    examples="""
    opai output peek train metrics.json
    opai output peek train log.txt -f
    """,
)
@job_argument
@click.argument("path", shell_complete=complete_outputs)
@click.option("-f", "--follow", is_flag=True, help="Follow the file until the job has ended.")
@cluster_option
@pass_app
def peek(app: CliApp, job: str, path: str, follow: bool, alias: str | None) -> None:
    from openpai.cli.framework import following_job
    from openpai.core.storage import normalize

    remote = app.cluster(alias).job(job)
    storage, folder = remote.outputs()
    place = f"{folder}{normalize(path)}"
    with storage:
        if not follow:
            _copy(storage, place, 0)
            return
        with following_job(app.console, remote):
            _follow(remote, storage, place)


def _follow(remote: RemoteJob, storage: Storage, place: str) -> None:
    """Copy what is there and what comes; a job's end is asked for before its last look."""
    done = 0
    while True:
        ended = remote.status().ended
        if storage.exists(place):
            done += _copy(storage, place, done)
        elif ended:
            storage.stat(place)  # raises what a missing file is
        if ended:
            return
        time.sleep(_PAUSE)


def _copy(storage: Storage, place: str, offset: int) -> int:
    """Write a file from an offset on to stdout; return how many bytes those were."""
    count = 0
    with storage.open_read(place, offset=offset) as stream:
        while piece := stream.read(_PIECE):
            sys.stdout.buffer.write(piece)
            count += len(piece)
    sys.stdout.flush()
    return count
