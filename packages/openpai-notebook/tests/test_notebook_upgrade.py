"""Notebooks of format 3."""

from __future__ import annotations

import json

import nbformat
from nbformat import v3

from openpai.notebook.document import parse_notebook


def old_notebook() -> nbformat.NotebookNode:
    """Return a notebook of format 3 with one of everything."""
    outputs = [
        v3.new_output("stream", output_text="printed\n", stream="stderr"),
        v3.new_output("pyout", output_text="5", output_html="<b>5</b>", prompt_number=3),
        v3.new_output("display_data", output_png="AAAA"),
        v3.new_output("pyerr", ename="E", evalue="v", traceback=["t"]),
    ]
    cells = [
        v3.new_heading_cell("Title", level=2),
        v3.new_text_cell("markdown", source="*text*"),
        v3.new_code_cell("2 + 3", prompt_number=3, outputs=outputs, collapsed=True),
        v3.new_text_cell("raw", source="raw"),
    ]
    return v3.new_notebook(
        metadata=v3.new_metadata("old"), worksheets=[v3.new_worksheet(cells=cells)]
    )


def test_upgrade_agrees_with_nbformat():
    """A format 3 notebook becomes what Jupyter's own converter makes of it."""
    data = json.dumps(old_notebook()).encode()
    ours = parse_notebook(data, "old.ipynb")
    theirs = nbformat.convert(nbformat.from_dict(json.loads(data)), 4)
    nbformat.validate(nbformat.from_dict(ours))
    assert [cell["cell_type"] for cell in ours["cells"]] == [c.cell_type for c in theirs.cells]
    assert [cell["source"] for cell in ours["cells"]] == [c.source for c in theirs.cells]
    assert ours["cells"][2]["execution_count"] == 3
    plain = [{**output, "data": dict(output.get("data", {}))} for output in theirs.cells[2].outputs]
    assert [{**o, "data": o.get("data", {})} for o in ours["cells"][2]["outputs"]] == plain


def test_upgrade_joins_worksheets():
    """Cells of several worksheets follow each other."""
    old = old_notebook()
    old.worksheets.append(v3.new_worksheet(cells=[v3.new_code_cell("last")]))
    ours = parse_notebook(json.dumps(old).encode(), "old.ipynb")
    assert ours["cells"][-1]["source"] == "last"
    assert len(ours["cells"]) == 5
