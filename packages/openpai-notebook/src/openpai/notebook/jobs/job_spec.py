"""Typed description of the job that runs a notebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Sequence, TypedDict

from openpai.core.protocol import JobSpec, option_field

if TYPE_CHECKING:
    from openpai.notebook.formats import Notebook

__all__ = ["MODES", "NotebookJobSpec", "NotebookOptions"]

MODES = ("silent", "script", "interactive")


class NotebookOptions(TypedDict, total=False):
    """Keyword arguments of :func:`~openpai.notebook.submit_notebook`: fields of the spec."""

    image: str | None
    parameters: Mapping[str, Any]
    mode: str
    sources: Sequence[str | Path]
    folder: bool
    requirements: Sequence[str]
    freeze: bool
    outputs: Sequence[str]
    cpu: int | None
    gpu: int | None
    memory: int | str | None
    name: str | None
    workspace: str | None
    virtual_cluster: str | None
    kernel: str | None
    python: str
    allow_errors: bool
    html: bool
    instances: int
    role: str
    environment: Mapping[str, str]
    env_files: Sequence[Path]
    secrets: Mapping[str, str]
    ports: Mapping[str, int]
    mounts: Sequence[Mapping[str, str]]
    retries: int | None
    priority: str | None
    sku: str | None
    time_limit: float | None
    callbacks: Sequence[Mapping[str, Any]]
    tags: Sequence[str]


@dataclass(frozen=True)
class NotebookJobSpec(JobSpec):
    """A job that runs a notebook. ``outputs`` are relative to the notebook's folder.

    Attributes:
        path: The notebook's file.
        mode: ``silent``: executed by a kernel; ``script``: run as a Python script;
            ``interactive``: open in a Jupyter server.
        parameters: Values for the notebook, made of JSON's types.
        points: The sets of parameters of a sweep; the job has the first.
        folder: Whether to upload the notebook's whole folder.
        freeze: Whether all packages of this Python environment are required, too.
        kernel: The kernel to use; ``None``: the notebook's own, else Python.
        allow_errors: Whether cells after a failed one are run.
        html: Whether the executed notebook is also saved as a web page.
        python: The Python program in the container.
        skip: Indices of cells that are not run.
        document: The notebook if it is not in a file; ``path`` is only its place then.
        token: The token of the Jupyter server.
    """

    path: Path = Path("Untitled.ipynb")
    mode: str = option_field(
        "--mode",
        initial="silent",
        choices=MODES,
        help="Execute the notebook, run it as a script, or serve it.",
        default="silent",
    )
    parameters: Mapping[str, Any] = field(default_factory=dict)
    points: Sequence[Mapping[str, Any]] = ()
    folder: bool = option_field(
        "--folder", initial=False, kind="flag", help="Upload the notebook's whole folder."
    )
    freeze: bool = option_field(
        "--freeze",
        initial=False,
        kind="flag",
        help="Install all packages of this Python environment in the job.",
    )
    kernel: str | None = option_field(
        "--kernel",
        metavar="NAME",
        help="Jupyter kernel to use.",
        default="the notebook's own",
    )
    python: str = option_field(
        "--python",
        initial="python3",
        metavar="PROGRAM",
        help="Python program in the image.",
        default="python3",
    )
    allow_errors: bool = option_field(
        "--allow-errors", initial=False, kind="flag", help="Continue after a failed cell."
    )
    html: bool = option_field(
        "--html/--no-html",
        initial=True,
        kind="flag",
        help="Also save the executed notebook as a web page.",
        default="html",
    )
    skip: Sequence[int] = ()
    document: Notebook | None = None
    token: str = option_field(
        "--token",
        "--notebook-token",
        initial="",
        in_repr=False,
        metavar="TOKEN",
        help="Token of the Jupyter server.",
        default="a random one",
    )
