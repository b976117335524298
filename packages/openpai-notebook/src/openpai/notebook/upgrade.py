"""Turn a notebook of format 3 (IPython 1 and 2) into format 4, as plain data."""

from __future__ import annotations

from typing import Any

__all__ = ["upgrade"]

#: Keys of a format 3 output that hold data, and the media types they stand for.
_MEDIA_TYPES = {
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
    "pdf": "application/pdf",
}

_OUTPUT_TYPES = {"pyout": "execute_result", "pyerr": "error"}


def upgrade(document: dict[str, Any]) -> dict[str, Any]:
    """Return a format 3 notebook as format 4.4; worksheets are joined in their order."""
    metadata = dict(document.get("metadata") or {})
    metadata.pop("name", None)  # the file's own name counts since format 4
    metadata.setdefault("orig_nbformat", 3)
    sheets = document.get("worksheets") or []
    cells = [_cell(cell) for sheet in sheets for cell in sheet.get("cells") or []]
    return {"metadata": metadata, "nbformat": 4, "nbformat_minor": 4, "cells": cells}


def _cell(old: dict[str, Any]) -> dict[str, Any]:
    kind = old.get("cell_type")
    metadata = dict(old.get("metadata") or {})
    if kind == "code":
        if "collapsed" in old:
            metadata["collapsed"] = old["collapsed"]
        return {
            "cell_type": "code",
            "metadata": metadata,
            "source": old.get("input", ""),
            "execution_count": old.get("prompt_number"),
            "outputs": [_output(output) for output in old.get("outputs") or []],
        }
    source = old.get("source", "")
    if kind == "heading":
        text = source if isinstance(source, str) else "".join(source)
        source = "#" * int(old.get("level") or 1) + " " + " ".join(text.splitlines())
    kind = "raw" if kind == "raw" else "markdown"
    return {"cell_type": kind, "metadata": metadata, "source": source}


def _output(old: dict[str, Any]) -> dict[str, Any]:
    old = dict(old)
    kind = old.pop("output_type", "display_data")
    new: dict[str, Any] = {"output_type": _OUTPUT_TYPES.get(kind, kind)}
    if kind == "stream":
        return {**new, "name": old.get("stream", "stdout"), "text": old.get("text", "")}
    if kind == "pyerr":
        return {**new, **{key: old.get(key, "") for key in ("ename", "evalue", "traceback")}}
    if kind == "pyout":
        new["execution_count"] = old.get("prompt_number")
    new["data"] = {_MEDIA_TYPES[key]: value for key, value in old.items() if key in _MEDIA_TYPES}
    new["metadata"] = dict(old.get("metadata") or {})
    return new
