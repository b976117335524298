"""What the command finds when it starts: its code, its folders, its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError, StorageError
from openpai.runtime.job.context import TaskJob
from openpai.runtime.log import reason, say
from openpai.runtime.process import active_environ

__all__ = ["Surroundings", "surroundings"]


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
        import tempfile

        output = Path(tempfile.mkdtemp(prefix="openpai-output-"))
        return Surroundings({**environ, "PAI_SDK_JOB_OUTPUT_DIR": str(output)}, output)
    storage = job.workspace_storage()
    environ["PAI_SDK_JOB_WORKSPACE"] = str(storage.root / job.folder.path.strip("/"))
    return Surroundings({**environ, "PAI_SDK_JOB_OUTPUT_DIR": str(output)})


def _make_output(job: TaskJob) -> Path:
    from openpai.core.storage import normalize

    output = job.output_folder()
    storage = job.workspace_storage()
    storage.mkdir(normalize(str(output.relative_to(storage.root))))
    if not os.access(output, os.W_OK):
        raise StorageError(f"{output} may not be written.")
    return output
