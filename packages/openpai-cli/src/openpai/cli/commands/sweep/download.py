"""The command ``opai sweep download``."""

from __future__ import annotations

from pathlib import Path

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, complete_sweeps, overwrite_option

__all__ = [
    "download",
]


@command(
    "download",
    help="""
    The files of each job go to a folder of its name. Jobs without such files are reported and
    skipped.
    """,
    examples="""
    opai sweep download train
    opai sweep download train metrics.json --to results
    """,
)
@click.argument("sweep", shell_complete=complete_sweeps)
@click.argument("paths", nargs=-1)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder to write to.  [default: a folder named after the sweep]",
)
@overwrite_option
@cluster_option
@pass_app
def download(
    app: CliApp,
    /,
    *,
    sweep: str,
    paths: tuple[str, ...],
    target: Path | None,
    overwrite: bool,
    alias: str | None,
) -> None:
    from openpai.cli.commands.output.download import fetch
    from openpai.core.errors import NotFoundError, StorageError, StorageLoginError
    from openpai.core.file_names import is_file_name
    from openpai.core.sweeps import Sweep

    found = Sweep(app.cluster(alias), sweep)
    here = target or Path(found.name)
    count, without, failed = 0, 0, 0
    for job in found.jobs():
        if job.state is None:
            continue
        try:
            if not is_file_name(job.name):
                raise StorageError(f"The job's name {job.name!r} is not a file name.")
            count += fetch(app, found.cluster.job(job.name), paths, here / job.name, overwrite)
        except StorageLoginError:
            raise
        except StorageError as error:
            failed += 1
            app.note(f"{job.name}: {error.message}")
        except (NotFoundError, FileNotFoundError):
            without += 1
            app.note(f"{job.name} saved no {' '.join(paths) or 'outputs'}.")
    app.note(f"{here}: {count} {'file' if count == 1 else 'files'}.")
    if failed:
        jobs = "1 job was" if failed == 1 else f"{failed} jobs were"
        raise StorageError(f"Not all files of {jobs} downloaded; the others were.")
    if without and not count:
        raise NotFoundError(f"No job of '{found.name}' saved any such file.", status=404)
