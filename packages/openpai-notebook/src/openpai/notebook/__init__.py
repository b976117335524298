"""From a notebook to an OpenPAI job and back; each name is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from openpai.notebook.__about__ import __version__

if TYPE_CHECKING:
    from openpai.notebook.errors import InvalidNotebookError, KernelError, NotebookError
    from openpai.notebook.job import NotebookJob
    from openpai.notebook.live import watch
    from openpai.notebook.results import record
    from openpai.notebook.submit import submit_notebook
    from openpai.notebook.sweeps import NotebookSweep, sweep_notebook

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
    "NotebookJob": "openpai.notebook.job",
    "NotebookSweep": "openpai.notebook.sweeps",
    "record": "openpai.notebook.results",
    "submit_notebook": "openpai.notebook.submit",
    "sweep_notebook": "openpai.notebook.sweeps",
    "watch": "openpai.notebook.live",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Add the magics and the rich display; IPython calls it for ``%load_ext openpai.notebook``."""
    from openpai.notebook.display import register
    from openpai.notebook.magics import OpaiMagics

    register(ipython)
    ipython.register_magics(OpaiMagics)


def __dir__() -> list[str]:
    return sorted(__all__)
