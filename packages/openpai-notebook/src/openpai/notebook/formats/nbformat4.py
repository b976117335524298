"""Read and write a notebook as plain data, with the standard library alone.

In memory a notebook is the dict of its JSON in notebook format 4, every text joined to one string
(the file may hold a list of lines). Nothing a notebook holds is dropped: unknown keys
stay where they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator

from openpai.core.files import write_file
from openpai.notebook.errors import InvalidNotebookError

__all__ = ["Notebook", "code_cells", "dump_notebook", "language", "load_notebook", "parse_notebook"]

#: A notebook of format 4 as plain data, texts joined.
Notebook = Dict[str, Any]

#: Media types whose value is JSON and not text.
_STRUCTURED = ("application/json", "+json")


def load_notebook(path: Path) -> Notebook:
    """Read a notebook file of format 4.

    Raises:
        InvalidNotebookError: The file is missing, unreadable, cut short, or not such a notebook.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InvalidNotebookError(f"There is no file '{path}'.") from None
    except IsADirectoryError:
        raise InvalidNotebookError(
            f"'{path}' is a folder.", "Name the notebook file in it."
        ) from None
    except OSError as error:
        raise InvalidNotebookError(f"'{path}' cannot be read: {error.strerror}.") from error
    return parse_notebook(data, str(path))


def parse_notebook(data: bytes, name: str) -> Notebook:
    """Read a notebook from the bytes of its file; ``name`` is for messages.

    Raises:
        InvalidNotebookError: The bytes are not such a notebook.
    """
    document = _parse_json(data, name)
    version = document.get("nbformat") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(version, int):
        raise InvalidNotebookError(f"'{name}' is not a notebook: it has no 'nbformat' number.")
    if version != 4:
        convert = f"Convert it: jupyter nbconvert --to notebook --inplace '{name}'"
        raise InvalidNotebookError(
            f"'{name}' is a notebook of format {version}; only format 4 is known.",
            convert if version < 4 else "",
        )
    _check_cells(document, name)
    return _completed(document)


def _parse_json(data: bytes, name: str) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidNotebookError(
            f"'{name}' is not a notebook: byte {error.start} is not UTF-8 text."
        ) from None
    if not text.strip():
        raise InvalidNotebookError(f"'{name}' is empty.", "Was it saved?")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _json_error(text, name, error) from None
    except RecursionError:
        raise InvalidNotebookError(
            f"'{name}' is not a notebook: it is nested too deeply."
        ) from None


def _json_error(text: str, name: str, error: json.JSONDecodeError) -> InvalidNotebookError:
    where = f"line {error.lineno}, column {error.colno}"
    if not text.lstrip().startswith(("{", "<<<<<<<")):
        return InvalidNotebookError(f"'{name}' is not a notebook: it does not hold JSON.")
    if "\n<<<<<<< " in text or text.startswith("<<<<<<< "):
        return InvalidNotebookError(
            f"'{name}' holds the conflict markers of an unfinished merge ({where}).",
            "Resolve the conflict first.",
        )
    if _is_cut(text, error):
        return InvalidNotebookError(
            f"'{name}' is cut short: its JSON ends too early, at {where}.",
            "Save or copy it again.",
        )
    return InvalidNotebookError(f"'{name}' is not a notebook: {error.msg} at {where}.")


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the text would be JSON if only there were more of it."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - 5


def _check_cells(document: Notebook, name: str) -> None:
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise InvalidNotebookError(f"'{name}' is not a notebook: it has no list of cells.")
    for number, cell in enumerate(cells, start=1):
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        if kind not in ("code", "markdown", "raw"):
            raise InvalidNotebookError(f"Cell {number} of '{name}' has no known type: {kind!r}.")
        if not isinstance(cell.get("source", ""), (str, list)):
            raise InvalidNotebookError(f"Cell {number} of '{name}' has a source that is not text.")
        if not isinstance(cell.get("metadata", {}), dict):
            raise InvalidNotebookError(
                f"Cell {number} of '{name}' has metadata that are not a map."
            )
        outputs = cell.get("outputs") or []
        if not isinstance(outputs, list) or not all(isinstance(item, dict) for item in outputs):
            raise InvalidNotebookError(
                f"Cell {number} of '{name}' has outputs that are not a list."
            )


def _completed(document: Notebook) -> Notebook:
    """Join the texts and add what format 4 requires of a cell."""
    if not isinstance(document.get("metadata"), dict):
        document["metadata"] = {}
    document.setdefault("nbformat_minor", 0)
    for cell in document["cells"]:
        cell["source"] = _joined(cell.get("source", ""))
        cell.setdefault("metadata", {})
        if cell["cell_type"] == "code":
            cell.setdefault("execution_count", None)
            cell["outputs"] = list(cell.get("outputs") or [])
        for holder, key in _texts(cell):
            holder[key] = _joined(holder[key])
    return document


def _joined(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value


def _texts(cell: Notebook) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield (dict, key) of each text that a file may split into lines, the source aside."""
    outputs = cell.get("outputs") or []
    bundles = [output.get("data") or {} for output in outputs]
    bundles += (cell.get("attachments") or {}).values()
    for bundle in bundles:
        for media_type in bundle:
            if not media_type.endswith(_STRUCTURED):
                yield bundle, media_type
    for output in outputs:
        if "text" in output:
            yield output, "text"


def dump_notebook(notebook: Notebook, path: Path) -> None:
    """Write a notebook as Jupyter does; the file is replaced whole or not at all.

    Raises:
        OSError: The file cannot be written; it is as it was.
    """
    text = json.dumps(_split(notebook), indent=1, ensure_ascii=False, sort_keys=True)
    # A lone surrogate, which a kernel may print, has no UTF-8 form but a JSON escape.
    write_file(path, (text + "\n").encode("utf-8", "backslashreplace"))


def _split(notebook: Notebook) -> Notebook:
    """Return a copy whose texts are lists of lines, which version control shows best."""
    return {**notebook, "cells": [_split_cell(cell) for cell in notebook["cells"]]}


def _split_cell(cell: Notebook) -> Notebook:
    copy = {**cell, "source": _lines(cell["source"])}
    if "outputs" in copy:
        copy["outputs"] = [
            {**output, **({"data": dict(output["data"])} if "data" in output else {})}
            for output in cell["outputs"]
        ]
    if "attachments" in copy:
        copy["attachments"] = {name: dict(item) for name, item in cell["attachments"].items()}
    for holder, key in _texts(copy):
        holder[key] = _lines(holder[key])
    return copy


def _lines(text: Any) -> Any:
    return text.splitlines(keepends=True) if isinstance(text, str) else text


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Notebook]]:
    """Yield (index, cell) of each code cell that holds more than white space."""
    for index, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code" and cell["source"].strip():
            yield index, cell


def language(notebook: Notebook) -> str:
    """Return the language of a notebook's kernel in lower case; Python where it names none."""
    metadata = notebook["metadata"]
    kernelspec = metadata.get("kernelspec") or {}
    info = metadata.get("language_info") or {}
    return str(kernelspec.get("language") or info.get("name") or "python").lower()
