"""The command ``opai output download``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openpai.cli.commands.output._files import _nothing, _top
from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, complete_outputs, job_argument, overwrite_option
from openpai.core.file_names import Accepted

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob
    from openpai.core.errors import StorageError
    from openpai.core.storage import Storage
    from openpai.core.storage.transfer import Copied

__all__ = [
    "download",
    "fetch",
]


@command(
    "download",
    help="Downloads all files, or the files and folders at PATHS.",
    examples="""
    opai output download train
    opai output download train metrics.json ckpt/last --to results
    """,
)
@job_argument
@click.argument("paths", nargs=-1, shell_complete=complete_outputs)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder to write to.  [default: a folder named after the job]",
)
@overwrite_option
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
    remote = app.cluster(alias).job(job)
    here = target or Path(remote.name)
    count = fetch(app, remote, paths, here, overwrite)
    app.note(f"{here}: {count} {'file' if count == 1 else 'files'}.")


def fetch(
    app: CliApp, remote: RemoteJob, paths: tuple[str, ...], here: Path, overwrite: bool
) -> int:
    """Fetch outputs of one job, print what is here now, and return how many files that are.

    Raises:
        NotFoundError: It saved nothing.
        FileNotFoundError: It saved nothing of that name.
        StorageError: Some of the files could not be fetched; the others were.
    """
    from openpai.core.errors import NotFoundError
    from openpai.core.storage import normalize
    from openpai.core.storage.transfer import TransferError

    storage, folder = remote.outputs()
    with storage:
        wanted = [normalize(path)[1:] for path in paths]
        listed = Accepted(() if wanted else _top(storage, folder))
        wanted = wanted or [entry.name for entry in listed]
        if not wanted and not listed.error:
            raise NotFoundError(_nothing(remote), status=404)
        count = 0
        errors: list[StorageError] = [listed.error] if listed.error else []
        for path in wanted:
            try:
                count += _fetch(app, storage, f"{folder}/{path}", here / path, overwrite)
            except TransferError as error:
                errors.append(error)
        for earlier in errors[:-1]:
            app.note(earlier.message)
        if errors:
            raise errors[-1]
        return count


def _fetch(app: CliApp, storage: Storage, remote: str, local: Path, overwrite: bool) -> int:
    """Fetch a file or folder, print what is here now, and return how many files that are."""
    from openpai.core.storage.transfer import Transfer, TransferError, local_place

    is_folder = storage.stat(remote).is_dir
    transfer = Transfer(storage, remote, *local_place(local, is_folder=is_folder))
    copied: Sequence[Copied] = ()
    try:
        with app.progress(f"Downloading {transfer.files} files", transfer.size) as advance:
            copied = transfer.run(overwrite=overwrite, on_bytes=advance)
    except TransferError as error:
        copied = error.copied
        raise
    finally:
        for done in copied:
            app.console.print(done.target)
    return len(copied)
