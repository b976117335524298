"""Make the job of a notebook and submit it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence

from openpai.core.errors import ConfigError

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.notebook.jobs.job import NotebookJob
    from openpai.notebook.jobs.job_spec import Description, Request

__all__ = [
    "make_request",
    "send",
]


def make_request(
    *,
    image: str | None = None,
    cpu: int | None = None,
    gpu: int | None = None,
    memory: int | str | None = None,
    sources: Sequence[str | Path] = (),
    requirements: Sequence[str] = (),
    workspace: str | None = None,
    virtual_cluster: str | None = None,
    token: str = "",
    **given: Any,
) -> Request:
    """Return what is asked for, with the layered defaults where something is not given.

    Raises:
        ConfigError: There is no image, an amount of memory is none, or a defaults file is broken.
    """
    from secrets import token_urlsafe

    from openpai.core.config import load_defaults
    from openpai.core.units import mebibytes
    from openpai.notebook.jobs.job_spec import Request

    default = load_defaults().get
    image = image or default("image")
    if not image:
        raise ConfigError("The job needs an image.", "Name one, or: opai set image=IMAGE")
    amount = memory if memory is not None else default("mem") or default("memoryMB")
    return Request(
        image=image,
        resources={
            "cpu": default("cpu") if cpu is None else cpu,
            "gpu": default("gpu") if gpu is None else gpu,
            "memory_mb": mebibytes(amount),
        },
        sources=[Path(source) for source in sources or default("sources")],
        requirements=requirements or default("pip-installs"),
        workspace=workspace or default("workspace"),
        virtual_cluster=virtual_cluster or default("virtual-cluster"),
        token=token or token_urlsafe(24),
        **given,
    )


def send(description: Description, cluster: Cluster) -> NotebookJob:
    """Send the files of a described job and submit it.

    Raises:
        OpenPaiError: The cluster or its storage refuses or does not answer.
        OSError: A file cannot be read, or the storage refuses it.
    """
    from openpai.core.client import prepare_job
    from openpai.notebook.jobs.job import NotebookJob
    from openpai.notebook.jobs.server import keep_token

    job = prepare_job(description.job, cluster, description.extras, base=description.base)
    remote = NotebookJob(cluster, cluster.submit(job).key)
    if description.token:
        keep_token(remote, description.token)
    return remote
