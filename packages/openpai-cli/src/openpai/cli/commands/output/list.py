"""``opai output list|download``: what a job saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.cli.commands.output._files import _files, _nothing
from openpai.cli.framework import (
    CliApp,
    cluster_option,
    command,
    format_option,
    job_argument,
    pass_app,
)
from openpai.core.file_names import Accepted

if TYPE_CHECKING:
    pass

COLUMNS = [("PATH", "path"), ("BYTES", "size"), ("MODIFIED", "modified")]


@command("list", examples="opai output list train\nopai output list train -o json")
@job_argument
@cluster_option
@format_option
@pass_app
def list_outputs(app: CliApp, job: str, alias: str | None, format_: str) -> None:
    """List the files a job saved.

    Paths are relative to the job's output folder, as 'output download' takes them.
    """
    remote = app.cluster(alias).job(job)
    storage, folder = remote.outputs()
    with storage:
        entries = Accepted(_files(storage, folder))
        rows = [
            {"path": entry.path[len(folder) + 1 :], "size": entry.size, "modified": entry.modified}
            for entry in entries
        ]
        app.emit(rows, columns=COLUMNS, format=format_)
        entries.check()
        if not rows:
            app.note(_nothing(remote))
