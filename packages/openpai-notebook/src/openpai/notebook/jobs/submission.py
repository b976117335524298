"""Make the job of a notebook and submit it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.notebook.jobs.description import Description
    from openpai.notebook.jobs.job import NotebookJob
    from openpai.notebook.jobs.job_spec import NotebookJobSpec

__all__ = [
    "complete_spec",
    "notebook_spec",
    "send",
]


def notebook_spec(
    path: Path,
    *,
    memory: int | str | None = None,
    sources: Sequence[str | Path] = (),
    **given: Any,
) -> NotebookJobSpec:
    """Return the spec of a notebook's job, with layered defaults for what is not given.

    Args:
        path: The notebook's file.
        memory: MiB, or a text such as ``8g``.
        sources: Files and folders to upload.
        **given: Further fields of :class:`NotebookJobSpec`.

    Raises:
        ConfigError: The amount of memory or a defaults file is invalid.
    """
    from openpai.core.units import mebibytes
    from openpai.notebook.jobs.job_spec import NotebookJobSpec

    spec = NotebookJobSpec(
        path=path,
        memory=None if memory is None else mebibytes(memory),
        sources=[Path(source) for source in sources],
        **given,
    )
    return complete_spec(spec)


def complete_spec(spec: NotebookJobSpec) -> NotebookJobSpec:
    """Fill in the layered defaults and a random token.

    Raises:
        ConfigError: A defaults file is invalid.
    """
    from secrets import token_urlsafe

    from openpai.core.config import load_defaults

    spec = spec.with_defaults(load_defaults().get)
    return spec if spec.token else replace(spec, token=token_urlsafe(24))


def send(description: Description, cluster: Cluster) -> NotebookJob:
    """Send the files of a described job and submit it.

    Raises:
        OpenPaiError: The cluster or its storage refuses or does not answer.
        OSError: A file cannot be read, or the storage refuses it.
    """
    from openpai.notebook.jobs.job import NotebookJob
    from openpai.notebook.jobs.server import keep_token

    submitted = cluster.submit(
        description.job,
        extras=description.extras,
        base=description.base,
        check_name=not description.random_name,
    )
    remote = NotebookJob(cluster, submitted.key)
    for tag in description.tags:
        remote.add_tag(tag)
    if description.token:
        keep_token(remote, description.token)
    return remote
