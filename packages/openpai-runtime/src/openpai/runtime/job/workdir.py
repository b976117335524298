"""Working directory, output folder and environment of the command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError, StorageError
from openpai.runtime.job.context import TaskJob
from openpai.runtime.log import log, message_of
from openpai.runtime.process import active_environ

__all__ = ["WorkingDirectory", "prepare_workdir"]


@dataclass(frozen=True)
class WorkingDirectory:
    """Environment and folders of the command.

    Attributes:
        environ: The environment of the command and of callbacks.
        to_save: A local folder to upload at the end, if ``PAI_SDK_JOB_OUTPUT_DIR`` cannot be the
            job's output folder itself.
    """

    environ: Mapping[str, str]
    to_save: Path | None = None


def prepare_workdir(job: TaskJob) -> WorkingDirectory:
    """Create the task's output folder and set the variables that name it.

    ``PAI_SDK_JOB_WORKSPACE`` is the job's folder on the mounted storage and
    ``PAI_SDK_JOB_OUTPUT_DIR`` the task's output folder there, so that files in it need no upload.
    If the storage cannot be written, the latter is an empty local folder, uploaded at the end.
    """
    environ = active_environ(job.environ)
    if not job.folder:
        return WorkingDirectory(environ)
    try:
        output = _make_output(job)
    except (OSError, OpenPaiError) as error:
        reason = message_of(error)
        log(f"The job's output folder is tried again at the end, not usable now: {reason}")
        import tempfile

        output = Path(tempfile.mkdtemp(prefix="openpai-output-"))
        return WorkingDirectory({**environ, "PAI_SDK_JOB_OUTPUT_DIR": str(output)}, output)
    storage = job.workspace_storage()
    environ["PAI_SDK_JOB_WORKSPACE"] = str(storage.root / job.folder.path.strip("/"))
    return WorkingDirectory({**environ, "PAI_SDK_JOB_OUTPUT_DIR": str(output)})


def _make_output(job: TaskJob) -> Path:
    from openpai.core.storage import normalize

    output = job.output_folder()
    storage = job.workspace_storage()
    storage.mkdir(normalize(str(output.relative_to(storage.root))))
    if not os.access(output, os.W_OK):
        raise StorageError(f"{output} may not be written.")
    return output
