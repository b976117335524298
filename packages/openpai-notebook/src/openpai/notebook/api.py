"""Submit a notebook as a job: from a script, from another notebook, or from itself."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

from openpai.core.environment import in_job_container
from openpai.notebook.jobs import notebook_spec, send

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from openpai.core.client import Cluster
    from openpai.notebook.formats import Notebook
    from openpai.notebook.jobs import NotebookJob, NotebookOptions

__all__ = [
    "submit_notebook",
]


def submit_notebook(
    path: str | Path | None = None,
    *,
    cluster: Cluster | str | None = None,
    wait: bool = False,
    **options: Unpack[NotebookOptions],
) -> NotebookJob | None:
    """Submit a notebook as a job, and return the job.

    Without a path it is the notebook that calls this, as it is saved; the calling cell, and later
    ones that use the job, are not run in the job. Inside a job the call does nothing and returns
    ``None``. What is not given is taken from the layered defaults (``opai set``).

    Args:
        path: The notebook's file.
        cluster: A cluster, or an alias of the user's list; ``None``: the selected one.
        wait: Whether to return only when the job has ended; a notebook shows it meanwhile.
        **options: Fields of :class:`~openpai.notebook.jobs.job_spec.NotebookJobSpec`: ``image``
            (with nbclient and a kernel for the mode ``silent``), ``parameters``, ``mode``
            (``silent``, ``script`` or ``interactive``), ``sources``, ``folder``, ``requirements``,
            ``freeze``, ``outputs``, ``cpu``, ``gpu``, ``memory`` (MiB, or a text such as ``8g``),
            ``name``, ``workspace``, ``virtual_cluster``, ``kernel``, ``allow_errors``, ``html``,
            and those of every job: ``environment``, ``secrets``, ``time_limit``, ``tags``, …

    Raises:
        NotebookError: The file is not a notebook, the calling notebook is not known, or it cannot
            become what is asked for.
        ConfigError: No image, or no such cluster, is known.
        OpenPaiError: The cluster or its storage refuses or does not answer.
    """
    if in_job_container():
        return None
    from openpai.core.client import Cluster
    from openpai.notebook.jobs import describe

    file, document, skip = (Path(path), None, ()) if path is not None else _calling_notebook()
    spec = notebook_spec(file, document=document, skip=skip, **options)
    target = cluster if isinstance(cluster, Cluster) else Cluster.load(cluster)
    with describe(spec) as description:
        for remark in description.remarks:
            warnings.warn(remark, stacklevel=2)
        job = send(description, target)
    if wait:
        _wait(job)
    return job


def _wait(job: NotebookJob) -> None:
    """Wait for a job's end; in a notebook it is watched meanwhile."""
    from openpai.notebook.source import in_notebook

    if not in_notebook():
        job.wait()
        return
    from openpai.notebook.ipython import watch

    watch(job)


def _calling_notebook() -> tuple[Path, Notebook | None, Sequence[int]]:
    """Return the calling notebook, its content where no file has it, and what is not to run."""
    from openpai.notebook.formats import load_notebook
    from openpai.notebook.source import (
        calling_notebook,
        in_colab,
        notebook_of_the_page,
        running_cells,
        submitting_cells,
    )

    if in_colab():
        path, shown = notebook_of_the_page()
        return path, shown, submitting_cells(shown, running_cells(shown, path))
    path = calling_notebook()
    saved = load_notebook(path)
    return path, None, submitting_cells(saved, running_cells(saved, path))
