"""From a notebook to an OpenPAI job and back; each name is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from openpai.notebook.__about__ import __version__

if TYPE_CHECKING:
    from openpai.notebook.api import submit_notebook
    from openpai.notebook.errors import InvalidNotebookError, KernelError, NotebookError
    from openpai.notebook.formats.results import record
    from openpai.notebook.ipython.watch import watch
    from openpai.notebook.jobs.job import NotebookJob
    from openpai.notebook.jobs.sweep import NotebookSweep, sweep_notebook

__all__ = [
    "InvalidNotebookError",
    "KernelError",
    "NotebookError",
    "NotebookJob",
    "NotebookSweep",
    "__version__",
    "record",
    "submit_notebook",
    "sweep_notebook",
    "watch",
]

_HOMES = {
    "InvalidNotebookError": "openpai.notebook.errors",
    "KernelError": "openpai.notebook.errors",
    "NotebookError": "openpai.notebook.errors",
    "NotebookJob": "openpai.notebook.jobs.job",
    "NotebookSweep": "openpai.notebook.jobs.sweep",
    "record": "openpai.notebook.formats.results",
    "submit_notebook": "openpai.notebook.api",
    "sweep_notebook": "openpai.notebook.jobs.sweep",
    "watch": "openpai.notebook.ipython.watch",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Add the magics and the rich display; IPython calls it for ``%load_ext openpai.notebook``."""
    from openpai.notebook.ipython.display import register
    from openpai.notebook.ipython.magics import OpaiMagics

    register(ipython)
    ipython.register_magics(OpaiMagics)


def __dir__() -> list[str]:
    return sorted(__all__)
