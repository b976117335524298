"""``opai output list|download``: what a job saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._options import cluster_option, format_option, job_argument

if TYPE_CHECKING:
    from openpai.core.remote_job import RemoteJob
    from openpai.core.storage import Entry, Storage

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
        entries = _files(storage, folder)
        rows = [
            {"path": _below(folder, entry), "size": entry.size, "modified": entry.modified}
            for entry in entries
        ]
        app.emit(rows, columns=COLUMNS, format=format_)
        if not rows:
            app.note(_nothing(remote))


@command(
    "download",
    examples="""
    opai output download train
    opai output download train metrics.json ckpt/last --to results
    """,
)
@job_argument
@click.argument("paths", nargs=-1)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where to put them.  [default: a folder named as the job]",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist and differ.")
@cluster_option
@pass_app
def download(
    app: CliApp,
    /,
    *,
    job: str,
    paths: tuple[str, ...],
    target: Path | None,
    overwrite: bool,
    alias: str | None,
) -> None:
    """Fetch the files a job saved.

    All of them, or the files and folders at PATHS.
    """
    from openpai.core.errors import NotFoundError

    remote = app.cluster(alias).job(job)
    storage, folder = remote.outputs()
    with storage:
        if not storage.exists(folder):
            raise NotFoundError(_nothing(remote), status=404)
        for path in paths or ("",):
            _fetch(
                app, storage, f"{folder}/{path}", (target or Path(remote.name)) / path, overwrite
            )


def _fetch(app: CliApp, storage: Storage, remote: str, local: Path, overwrite: bool) -> None:
    from openpai.core.transfer import Transfer, local_place

    transfer = Transfer(storage, remote, *local_place(local))
    with app.progress(f"Fetching {transfer.files} files", transfer.size) as advance:
        copied = transfer.run(overwrite=overwrite, on_bytes=advance)
    for done in copied:
        app.console.data(done.target)
    app.note(f"{len(copied)} files, {sum(done.size for done in copied)} bytes.")


def _files(storage: Storage, folder: str) -> list[Entry]:
    try:
        return [entry for entry in storage.walk(folder) if not entry.is_dir]
    except FileNotFoundError:
        return []


def _below(folder: str, entry: Entry) -> str:
    return entry.path[len(folder) :].lstrip("/")


def _nothing(remote: RemoteJob) -> str:
    """Say why there is nothing: not yet, or not at all."""
    detail: Any = remote.status()
    if detail.ended:
        return f"{remote.key} {detail.state} and saved no outputs."
    return f"{remote.key} is {detail.state} and has saved no outputs yet."
