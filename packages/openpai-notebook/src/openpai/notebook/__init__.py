"""From a notebook to an OpenPAI job and back; each name is imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.lazy_imports import attach
from openpai.notebook.__about__ import __version__ as __version__

if TYPE_CHECKING:
    from openpai.notebook.api import submit_notebook as submit_notebook
    from openpai.notebook.errors import (
        InvalidNotebookError as InvalidNotebookError,
        KernelError as KernelError,
        NotebookError as NotebookError,
    )
    from openpai.notebook.formats import record as record
    from openpai.notebook.ipython import watch as watch
    from openpai.notebook.jobs import (
        NotebookJob as NotebookJob,
        NotebookSweep as NotebookSweep,
        sweep_notebook as sweep_notebook,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "__about__": ["__version__"],
            "api": ["submit_notebook"],
            "errors": ["InvalidNotebookError", "KernelError", "NotebookError"],
            "formats": ["record"],
            "ipython": ["watch"],
            "jobs": ["NotebookJob", "NotebookSweep", "sweep_notebook"],
        },
    )


def load_ipython_extension(ipython: Any) -> None:
    """Add the magics and the rich display; IPython calls it for ``%load_ext openpai.notebook``."""
    from openpai.notebook.ipython import OpaiMagics, register

    register(ipython)
    ipython.register_magics(OpaiMagics)
