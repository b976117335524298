"""The table of operations in docs/rest.md is made from what the tests really do."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "rest.md"
BEGIN, END = "<!-- operations -->\n", "<!-- /operations -->"


def table(operations, recordings) -> str:
    """Return the table as Markdown."""
    lines = [
        "| operation | request | function | local cluster | recorded answer |",
        "|---|---|---|---|---|",
    ]
    for o in operations:
        local = "tested" if o["local"] is True else o["local"]
        recorded = "tested" if o["recording"] in recordings else o["recording"]
        name = o["id"] if o["documented"] else f"{o['id']} *"
        lines.append(
            f"| {name} | `{o['method']} {o['path']}` | `rest.{o['function']}` "
            f"| {local} | {recorded} |"
        )
    return "\n".join(lines) + "\n"


def test_the_document_has_this_very_table(operations, recordings):
    """Whoever changes an operation or its tests changes the table with it."""
    if not DOCUMENT.exists():
        pytest.skip("the documents are not part of this package's own archive")
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown == table(operations, recordings)


def test_every_function_names_its_operation(operations):
    """Its docstring begins with method and path, and says what it raises."""
    for o in operations:
        module, _, name = o["function"].partition(".")
        function = getattr(importlib.import_module(f"openpai.core.rest.{module}"), name)
        told = inspect.getdoc(function) or ""
        path = o["path"].partition("?")[0]
        for variable in ("{role}", "{index}", "{attempt}", "{run}"):
            path = path.replace(variable, "{")
        if module != "logs":  # these say it in their own words
            assert o["method"] in told, o["id"]
            assert path.partition("{")[0].rstrip("/") in told, o["id"]
        assert "oidc" in name or "Raises:" in told, o["id"]


def test_every_function_names_source_and_rights(operations):
    """Where the fact is from, and who may call it; one who doubts can look."""
    for o in operations:
        module, _, name = o["function"].partition(".")
        function = getattr(importlib.import_module(f"openpai.core.rest.{module}"), name)
        told = inspect.getdoc(function) or ""
        assert re.search(r"(rest-server|log-manager)/src/", told), name
        assert re.search(r"\b(token|rights|admin|owner|browser)\b", told), name


def test_all_44_operations_of_the_openapi_file_are_there(operations):
    """Version 2.2.7 of the file has so many, and no two have the same request."""
    documented = [(o["method"], o["path"]) for o in operations if o["documented"]]
    assert len(documented) == len(set(documented)) == 44
