"""Fetch the job's code and unpack it into the working directory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from openpai.core.archive import unpack_archive
from openpai.core.transfer import download
from openpai.runtime.job import TaskJob

__all__ = ["fetch_code"]


def fetch_code(job: TaskJob, root: Path) -> None:
    """Copy the archive here, compare its checksum, and unpack it below the working directory.

    It is copied first so that what is unpacked is what was compared.

    Raises:
        StorageError: The storage is not mounted, the checksum differs, or the archive is unsafe.
        OSError: The archive is not there, or cannot be read or unpacked.
    """
    assert job.section.code
    storage, path = job.archive()
    with storage, tempfile.TemporaryDirectory(prefix="openpai-code-") as folder:
        archive = Path(folder) / "code.tar.gz"
        download(storage, path, archive)
        unpack_archive(archive, root / job.section.code.directory, job.section.code.sha256)
