"""Get what the command cannot do without: storages under their paths, code, Python packages."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Callable, Mapping

from openpai.core.archive import unpack_archive
from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.transfer import download
from openpai.runtime.job import TaskJob, storage_folder
from openpai.runtime.messages import reason, say
from openpai.runtime.requirements import install

__all__ = ["prepare"]


def prepare(job: TaskJob, root: Path, environ: Mapping[str, str]) -> int:
    """Get everything that the job's section asks for; return 0, or 1 after saying what is missing.

    Args:
        job: The task.
        root: The working directory.
        environ: The environment that the command will have.
    """
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("its storages cannot be reached", lambda: _reach_mounts(job)),
        ("its code cannot be fetched", lambda: _fetch_code(job, root)),
        ("its Python packages cannot be installed", lambda: _install(job, environ)),
    )
    for what, step in steps:
        try:
            step()
        except (OSError, OpenPaiError) as error:
            say(f"The command is not started, because {what}. {reason(error)}")
            return 1
    return 0


def _reach_mounts(job: TaskJob) -> None:
    """Make every storage that the job mounts reachable under the path that it asks for.

    A path that does not exist becomes a link to where the platform has mounted the storage.
    """
    for mount in job.section.mounts:
        folder = storage_folder(mount.storage, job.document, job.environ)
        path = Path(mount.path)
        if os.path.realpath(path) == os.path.realpath(folder):
            continue
        if os.path.lexists(path):
            raise StorageError(
                f"The storage '{mount.storage}' cannot be at {path}: something else is there.",
                f"It is mounted at {folder}.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(folder)


def _fetch_code(job: TaskJob, root: Path) -> None:
    """Copy the archive here, compare its checksum, and unpack it below the working directory.

    It is copied first so that what is unpacked is what was compared.
    """
    if not job.section.code:
        return
    storage, path = job.archive()
    with storage, tempfile.TemporaryDirectory(prefix="openpai-code-") as folder:
        archive = Path(folder) / "code.tar.gz"
        download(storage, path, archive)
        unpack_archive(archive, root / job.section.code.directory, job.section.code.sha256)


def _install(job: TaskJob, environ: Mapping[str, str]) -> None:
    if job.section.requirements:
        install(job.section.requirements, environ)
