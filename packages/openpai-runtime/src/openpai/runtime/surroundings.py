"""What the command finds when it starts: its code, its folders, its environment."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError, StorageError
from openpai.core.storage import normalize
from openpai.runtime.command import active_environ
from openpai.runtime.job import TaskJob, storage_folder
from openpai.runtime.messages import reason, say

__all__ = ["Surroundings", "reach_mounts", "surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """Where the command works.

    Attributes:
        environ: The environment of the command and of callbacks.
        to_save: A folder of this machine whose files have to be saved as a whole at the end,
            because ``PAI_SDK_JOB_OUTPUT_DIR`` could not be the job's output folder itself.
    """

    environ: Mapping[str, str]
    to_save: Path | None = None


def surroundings(job: TaskJob) -> Surroundings:
    """Make the task's output folder and name it in the environment.

    ``PAI_SDK_JOB_WORKSPACE`` is the job's folder on the mounted storage and
    ``PAI_SDK_JOB_OUTPUT_DIR`` the task's output folder there: what the command writes into it is
    saved at that moment. Where the storage does not take it, the latter is an empty folder of this
    machine that is saved at the end.
    """
    environ = active_environ(job.environ)
    if not job.folder:
        return Surroundings(environ)
    try:
        output = _make_output(job)
    except (OSError, OpenPaiError) as error:
        say(f"The job's output folder is tried again at the end, not usable now: {reason(error)}")
        output = Path(tempfile.mkdtemp(prefix="openpai-output-"))
        return Surroundings({**environ, "PAI_SDK_JOB_OUTPUT_DIR": str(output)}, output)
    storage = job.workspace_storage()
    environ["PAI_SDK_JOB_WORKSPACE"] = str(storage.root / job.folder.path.strip("/"))
    return Surroundings({**environ, "PAI_SDK_JOB_OUTPUT_DIR": str(output)})


def _make_output(job: TaskJob) -> Path:
    output = job.output_folder()
    storage = job.workspace_storage()
    storage.mkdir(normalize(str(output.relative_to(storage.root))))
    if not os.access(output, os.W_OK):
        raise StorageError(f"{output} may not be written.")
    return output


def reach_mounts(job: TaskJob) -> None:
    """Make every storage that the job mounts reachable under the path that it asks for.

    A path that does not exist becomes a link to where the platform has mounted the storage.

    Raises:
        StorageError: The storage is not mounted, or something else has its path.
        OSError: The link cannot be made.
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
