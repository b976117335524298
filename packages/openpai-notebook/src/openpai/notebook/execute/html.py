"""The executed notebook as a web page, where the image has nbconvert."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from nbformat.notebooknode import from_dict

from openpai.core.files import write_file
from openpai.notebook.execute.jupyter_paths import data_of
from openpai.notebook.execute.log import Log
from openpai.notebook.formats import Notebook

__all__ = ["render_page", "write_page"]


def write_page(notebook: Notebook, path: Path, log: Log) -> None:
    """Write a notebook as HTML; what stands in the way is said in the log and ends nothing."""
    try:
        page = render_page(notebook)
    except ImportError:
        log.note("this image has no nbconvert; there will be no HTML page.")
        return
    except Exception as error:  # a page is but a copy, and nbconvert fails in many ways
        log.note(f"the HTML page could not be made: {error}")
        return
    try:
        write_file(path, page.encode("utf-8", "replace"))
    except OSError as error:
        log.note(f"the HTML page could not be written: {error}")


def render_page(notebook: Notebook) -> str:
    """Return a notebook as HTML.

    Raises:
        ImportError: nbconvert is not installed.
    """
    nbconvert: Any = import_module("nbconvert")
    node = from_dict(notebook)  # type: ignore[no-untyped-call]
    data = data_of("nbconvert")
    if data:  # the kernel is gone: nothing else reads this
        usual = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = f"{usual}{os.pathsep}{data}" if usual else str(data)
    exporter = nbconvert.HTMLExporter()
    page, _ = exporter.from_notebook_node(node)
    return str(page)
