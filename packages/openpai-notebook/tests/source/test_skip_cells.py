"""Which cells stay out of the job of a notebook that submits itself."""

from __future__ import annotations

import pytest

from openpai.notebook.source.skip_cells import submitting_cells

SUBMIT = "from openpai.notebook import submit_notebook\njob = submit_notebook(image='i')"


@pytest.mark.parametrize(
    ("cells", "out"),
    [
        (["x = 1", SUBMIT, "print(x)"], [1]),
        (["x = 1", SUBMIT, "job.result('x')"], [1, 2]),
        (["x = 1", SUBMIT, "y = job.result('x')", "print(y)", "print(x)"], [1, 2, 3]),
        (["x = 1", SUBMIT, "y = job.result('x')", "y = 2", "print(y)"], [1, 2]),
        (["job = 'mine'", SUBMIT, "print(job)"], [1]),
        (["print(job)", SUBMIT], [1]),
        (["x = 1", "import openpai.notebook as n\n(job := n.submit_notebook())", "job"], [1, 2]),
        (["x = 1", SUBMIT, "%time job.wait()\njob.html()"], [1, 2]),
        (["x = 1", SUBMIT, "it is no Python, job"], [1]),
        (["import math", "import numpy\n" + SUBMIT, "numpy.pi"], [1]),
    ],
)
def test_cells_of_the_caller_finds_dependent_cells(make_notebook, cells, out):
    """What looks at the job is not run in it; what only stands after the call is."""
    from openpai.notebook.formats.nbformat4 import load_notebook

    notebook = load_notebook(make_notebook(*cells))
    assert submitting_cells(notebook, [cells.index(next(c for c in cells if "submit" in c))]) == out
