"""A notebook's parameters, as papermill reads them.

The cell tagged ``parameters`` holds the defaults. The values given for a run go into a cell of
their own, tagged ``injected-parameters``, right after it (or first of all where no cell is tagged);
a cell injected by an earlier run is replaced.
"""

from __future__ import annotations

import ast
import keyword
import math
from typing import Any, Mapping

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats.nbformat4 import Notebook, language

__all__ = ["check_parameters", "declared_parameters", "infer_value", "inject", "parse_assignment"]

_DEFAULTS_TAG = "parameters"
_INJECTED_TAG = "injected-parameters"


def infer_value(text: str) -> Any:
    """Return what a text on a command line stands for: ``True``, ``None``, 3, 0.1, or the text."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def parse_assignment(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``.

    Raises:
        InvalidNotebookError: There is no ``=``, or the name is none that Python has.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidNotebookError(f"The parameter '{text}' has no value.", "Write NAME=VALUE.")
    _check_name(name)
    return name, value


def _check_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidNotebookError(f"'{name}' cannot be the name of a parameter in Python.")


def declared_parameters(notebook: Notebook) -> list[str]:
    """Return the names that the cell tagged ``parameters`` assigns, in their order."""
    index = _tagged(notebook, _DEFAULTS_TAG)
    if index is None:
        return []
    try:
        tree = ast.parse(notebook["cells"][index]["source"])
    except SyntaxError:
        return []  # the cell holds a magic; what it assigns is not known
    names: dict[str, None] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                names[target.id] = None
    return list(names)


def check_parameters(notebook: Notebook, values: Mapping[str, Any]) -> None:
    """Refuse values that cannot be written into this notebook.

    Raises:
        InvalidNotebookError: A name or value has no form in Python, or it is no Python notebook.
    """
    if values and language(notebook) not in ("python", "ipython"):
        raise InvalidNotebookError(
            f"Parameters can be given to Python notebooks; this one is {language(notebook)}."
        )
    for name, value in values.items():
        _check_name(name)
        _literal(name, value)


def inject(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """Return the notebook with a cell that sets these values; without values, the notebook itself.

    Raises:
        InvalidNotebookError: As :func:`check_parameters`.
    """
    if not values:
        return notebook
    check_parameters(notebook, values)
    lines = [f"{name} = {_literal(name, value)}" for name, value in values.items()]
    cell: Notebook = {
        "cell_type": "code",
        "metadata": {"tags": [_INJECTED_TAG]},
        "source": "\n".join(["# Parameters", *lines]),
        "execution_count": None,
        "outputs": [],
    }
    if notebook["nbformat_minor"] >= 5:
        cell["id"] = _INJECTED_TAG
    cells = list(notebook["cells"])
    earlier = _tagged(notebook, _INJECTED_TAG)
    if earlier is not None:
        cells[earlier] = cell
    else:
        defaults = _tagged(notebook, _DEFAULTS_TAG)
        cells.insert(0 if defaults is None else defaults + 1, cell)
    return {**notebook, "cells": cells}


def _tagged(notebook: Notebook, tag: str) -> int | None:
    for index, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code" and tag in (cell["metadata"].get("tags") or []):
            return index
    return None


def _literal(name: str, value: Any) -> str:
    """Return Python source for a value made of JSON's types."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return repr(kind(value))  # also where a library's own number is a subclass
    if value is None:
        return "None"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(name, item) for item in value) + "]"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = (f"{key!r}: {_literal(name, item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    raise InvalidNotebookError(
        f"The parameter '{name}' holds a {type(value).__name__}, which has no form in JSON.",
        "Use numbers, texts, lists and dicts.",
    )
