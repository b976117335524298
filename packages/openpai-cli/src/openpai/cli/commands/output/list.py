"""``opai output list|download``: what a job saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.cli.commands.output._files import _files, _nothing
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option, job_argument
from openpai.core.file_names import Accepted

if TYPE_CHECKING:
    pass

COLUMNS = [("PATH", "path"), ("BYTES", "size"), ("MODIFIED", "modified")]


@command(
    "list",
    help="Paths are relative to the job's output folder, as for 'output download'.",
    examples="opai output list train\nopai output list train -o json",
)
@job_argument
@cluster_option
@format_option
@pass_app
def list_outputs(app: CliApp, job: str, alias: str | None, format_: str) -> None:
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
