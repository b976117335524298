"""Submit a notebook as a job: from a script, from another notebook, or from itself."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from openpai.core.environment import in_job_container
from openpai.notebook.jobs import make_request, send

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.notebook.formats import Notebook
    from openpai.notebook.jobs import NotebookJob

__all__ = [
    "submit_notebook",
]


def submit_notebook(
    path: str | Path | None = None,
    *,
    cluster: Cluster | str | None = None,
    image: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    mode: str = "silent",
    sources: Sequence[str | Path] = (),
    folder: bool = False,
    requirements: Sequence[str] = (),
    freeze: bool = False,
    outputs: Sequence[str] = (),
    cpu: int | None = None,
    gpu: int | None = None,
    memory: int | str | None = None,
    name: str | None = None,
    workspace: str | None = None,
    virtual_cluster: str | None = None,
    kernel: str | None = None,
    allow_errors: bool = False,
    html: bool = True,
    wait: bool = False,
) -> NotebookJob | None:
    """Submit a notebook as a job, and return the job.

    Without a path it is the notebook that this is called in, as it is saved; the calling cell, and
    later ones that look at the job it submits, are not run in the job. Inside a job the
    call does nothing and returns ``None``.

    What is not given is taken from the layered defaults (``opai set``).

    Args:
        path: The notebook's file.
        cluster: A cluster, or an alias of the user's list; ``None``: the selected one.
        image: The docker image. For the mode ``silent`` it needs nbclient and a kernel.
        parameters: Values that are set after the cell tagged ``parameters``, as papermill does.
        mode: ``silent``: a kernel executes it, and the executed notebook comes back; ``script``: it
            runs as a Python script, which needs Python alone; ``interactive``: a Jupyter server
            opens it, whose address is :meth:`NotebookJob.server_url`.
        sources: Files and folders that the notebook needs; relative paths keep their meaning.
        folder: Whether to send the notebook's whole folder along.
        requirements: Python packages that it needs, as pip reads them.
        freeze: Whether the job gets all packages of this Python environment, as they are here;
            what pip cannot bring is warned of.
        outputs: What else to save: paths or globs relative to the notebook's folder.
        cpu: CPUs.
        gpu: GPUs.
        memory: Memory: MiB, or a text such as ``8g``.
        name: The job's name; ``None``: one made of the notebook's.
        workspace: ``NAME:/PATH`` where code and outputs lie.
        virtual_cluster: The virtual cluster.
        kernel: The kernel to use instead of the notebook's own.
        allow_errors: Whether the cells after a failed one are run.
        html: Whether the executed notebook comes back as a web page, too.
        wait: Whether to return only when the job has ended; a notebook shows it meanwhile.

    Raises:
        NotebookError: The file is no notebook, it is not known which notebook is meant, or it
            cannot become what is asked for.
        ConfigError: No image, or no such cluster, is known.
        OpenPaiError: The cluster or its storage refuses or does not answer.
    """
    if in_job_container():
        return None
    from openpai.core.client import Cluster
    from openpai.notebook.jobs import describe

    file, document, skip = (Path(path), None, ()) if path is not None else _own_notebook()
    request = make_request(
        path=file,
        document=document,
        mode=mode,
        name=name,
        image=image,
        parameters=parameters or {},
        sources=sources,
        outputs=outputs,
        requirements=requirements,
        freeze=freeze,
        folder=folder,
        workspace=workspace,
        virtual_cluster=virtual_cluster,
        cpu=cpu,
        gpu=gpu,
        memory=memory,
        kernel=kernel,
        allow_errors=allow_errors,
        html=html,
        skip=skip,
    )
    target = cluster if isinstance(cluster, Cluster) else Cluster.load(cluster)
    with describe(request) as description:
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


def _own_notebook() -> tuple[Path, Notebook | None, Sequence[int]]:
    """Return the calling notebook, its content where no file has it, and what is not to run."""
    from openpai.notebook.formats import load_notebook
    from openpai.notebook.source import (
        calling_notebook,
        cells_of_the_caller,
        in_colab,
        notebook_of_the_page,
        running_cells,
    )

    if in_colab():
        path, shown = notebook_of_the_page()
        return path, shown, cells_of_the_caller(shown, running_cells(shown, path))
    path = calling_notebook()
    saved = load_notebook(path)
    return path, None, cells_of_the_caller(saved, running_cells(saved, path))
