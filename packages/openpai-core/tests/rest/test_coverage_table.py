"""The table of operations in docs/rest.md is made from what the tests really do."""

from __future__ import annotations

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


def test_documented_table_matches_operations(operations, recordings):
    if not DOCUMENT.exists():
        pytest.skip("the documents are not part of this package's own archive")
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown == table(operations, recordings)


def test_openapi_file_has_44_operations(operations):
    """Version 2.2.7 of the file; no two have the same request."""
    documented = [(o["method"], o["path"]) for o in operations if o["documented"]]
    assert len(documented) == len(set(documented)) == 44
