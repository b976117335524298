"""The notebook of a Colab kernel: it is kept in no file of the kernel's machine.

The page hands it over, as it is shown, when the kernel asks (googlecolab/colabtools,
google/colab/_message.py; no public function does it).
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from openpai.notebook.errors import NotebookError
from openpai.notebook.formats import Notebook, parse_notebook

__all__ = ["in_colab", "notebook_of_the_page"]

_PATIENCE = 15  # seconds


def in_colab() -> bool:
    """Whether this runs in a kernel of Google Colab."""
    return "google.colab" in sys.modules


def notebook_of_the_page() -> tuple[Path, Notebook]:
    """Return the notebook as the page shows it, and the file that it would be here.

    Raises:
        NotebookError: The page does not hand it over.
    """
    try:
        messages: Any = import_module("google.colab._message")
        answer = messages.blocking_request("get_ipynb", request="", timeout_sec=_PATIENCE)
        document = answer["ipynb"]
    except Exception as error:  # a function that is not public may end in any way
        raise NotebookError(
            f"Colab does not hand over this notebook ({type(error).__name__}).",
            "Download it (File > Download), put it into /content, and name it:"
            " submit_notebook('/content/NAME.ipynb').",
        ) from None
    colab = (document.get("metadata") or {}).get("colab") or {}
    path = Path(Path(str(colab.get("name") or "notebook.ipynb")).name).with_suffix(".ipynb")
    return path.absolute(), parse_notebook(json.dumps(document).encode(), path.name)
