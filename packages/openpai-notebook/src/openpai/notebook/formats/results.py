"""Values that a notebook returns to its submitter."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats.nbformat4 import Notebook, code_cells

__all__ = ["RESULTS_FILE", "record", "recorded", "recorded_lines"]

#: The media type of an output that holds results, as ``{name: value}``.
_MEDIA_TYPE = "application/vnd.openpai.result+json"

#: The environment variable that names the file to which a script records.
RESULTS_FILE = "OPENPAI_NOTEBOOK_RESULTS"


def record(name: str, value: Any) -> None:
    """Record a value under a name, in the notebook that runs; the last one of a name counts.

    The value is shown below the cell and stays in the notebook. Where the notebook runs as a script
    it goes to the job's results; elsewhere it is not kept.

    Raises:
        InvalidNotebookError: The value is not made of numbers, texts, booleans, None, lists, dicts.
    """
    try:
        line = json.dumps({name: value})
    except (TypeError, ValueError) as error:
        raise InvalidNotebookError(f"The result '{name}' cannot be recorded: {error}.") from None
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.display import display

        bundle = {_MEDIA_TYPE: json.loads(line), "text/plain": f"{name} = {value!r}"}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        return
    file = os.environ.get(RESULTS_FILE)
    if file:
        with Path(file).open("a", encoding="utf-8") as results:
            results.write(line + "\n")


def recorded(notebook: Notebook) -> dict[str, Any]:
    """Return what an executed notebook has recorded, by name."""
    values: dict[str, Any] = {}
    for _, cell in code_cells(notebook):
        for output in cell["outputs"]:
            values.update((output.get("data") or {}).get(_MEDIA_TYPE) or {})
    return values


def recorded_lines(text: str) -> dict[str, Any]:
    """Return what a script has recorded, from the text of its results file."""
    values: dict[str, Any] = {}
    for line in text.splitlines():
        values.update(json.loads(line))
    return values
