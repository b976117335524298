"""`opai notebook` against a local cluster."""

from __future__ import annotations

import shutil

import nbformat
import pytest
from support.wait import wait_until

EXAMPLE = "examples/notebooks/first-job.ipynb"


def test_submit_and_connect_fetch_notebook(opai, local_cluster, root):
    """`opai notebook submit` follows the log, fetches the notebook, and ends as the job does."""
    shutil.copy(root / EXAMPLE, opai.folder / "first.ipynb")
    done = opai(
        "notebook", "submit", "first.ipynb", "--image", "none", "-p", "throws=1000", "--to", "back"
    )
    path = opai.folder / done.stdout.strip()
    assert path.parent == opai.folder / "back"
    assert "openpai-notebook: cell 1 of 5" in done.stderr
    assert "pi = " in done.stderr
    document = nbformat.read(path, as_version=4)
    assert document.metadata.openpai.status == "succeeded"
    again = opai("notebook", "connect", path.stem)
    assert again.stdout.strip() == path.name
    assert (opai.folder / path.name).read_bytes() == path.read_bytes()


def test_submit_exits_with_code_of_failed_job(opai, local_cluster):
    """The exit code is the job's, and the notebook is there all the same."""
    from nbformat import v4

    failing = v4.new_code_cell("raise SystemExit('that is all')")
    nbformat.write(v4.new_notebook(cells=[failing]), opai.folder / "bad.ipynb")
    done = opai("notebook", "submit", "bad.ipynb", "-i", "none", "--no-html", code=1)
    assert (opai.folder / done.stdout.strip()).is_file()
    assert "failed: the cell raised SystemExit: that is all" in done.stderr


ENDLESS = """\
import time
print('begun', flush=True)
try:
    while True: time.sleep(0.1)
except KeyboardInterrupt:
    print('interrupted')
"""


def test_stop_ends_endless_cell(opai, local_cluster):
    """`opai job stop` ends it; the notebook with what it printed is there, the exit code is 143."""
    from nbformat import v4

    endless = v4.new_notebook(cells=[v4.new_code_cell(ENDLESS)])
    nbformat.write(endless, opai.folder / "endless.ipynb")
    words = ["notebook", "submit", "endless.ipynb", "-i", "none", "--no-wait"]
    key = opai(*words).stdout.strip()

    def log() -> str:
        return opai("job", "logs", key, code=None).stdout

    wait_until(lambda: "begun" in log(), "the cell runs", timeout=120, show=log)
    opai("job", "stop", key)
    opai("job", "wait", key, code=143)
    done = opai("notebook", "connect", key, code=143)
    document = nbformat.read(opai.folder / done.stdout.strip(), as_version=4)
    assert document.metadata.openpai.status == "stopped"
    assert document.cells[0].outputs[0].text == "begun\ninterrupted\n"


NOT_JSON = "%!PS this is not a notebook"
CUT = '{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "sour'
OLD = '{"nbformat": 2, "worksheets": []}'
EMPTY = '{"nbformat": 4, "metadata": {}, "cells": []}'
R = '{"nbformat": 4, "metadata": {"kernelspec": {"name": "ir", "language": "R"}}, "cells": []}'


def test_submit_of_invalid_file_makes_no_job(opai, local_cluster):
    """After a refusal there is no job."""
    (opai.folder / "cut.ipynb").write_text('{"nbformat": 4, "cells": [')
    (opai.folder / "good.ipynb").write_text(EMPTY)
    opai("notebook", "submit", "-i", "none", "cut.ipynb", code=2)
    done = opai("notebook", "submit", "-i", "none", "good.ipynb", "--src", "gone", code=None)
    assert "gone" in done.stderr
    assert opai("job", "list", "-o", "name").stdout == ""


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        (NOT_JSON, [], "'work.ipynb' is not a notebook: it does not hold JSON."),
        (CUT, [], "'work.ipynb' is cut short: its JSON ends too early, at line 1, column"),
        (OLD, [], "is a notebook of format 2; only format 4 is known."),
        ("", [], "'work.ipynb' is empty."),
        (R, ["-p", "x=1"], "Parameters can be given to Python notebooks; this one is r."),
        (R, ["--mode", "script"], "is a notebook in r; only Python ones become scripts."),
        (EMPTY, ["-p", "x"], "The parameter 'x' has no value."),
        (EMPTY, ["--mem", "much"], "Invalid amount of memory"),
        (EMPTY, ["--parameters-file", "gone.yaml"], "gone.yaml"),
    ],
)
def test_submit_explains_bad_input(opai, text, words, sentence):
    """Invalid notebooks are reported before any request to a cluster, and nothing is lost."""
    file = opai.folder / "work.ipynb"
    file.write_text(text)
    done = opai("notebook", "submit", "work.ipynb", "-i", "none", *words, code=None)
    assert done.returncode in (2, 4), done.stderr
    assert sentence in done.stderr
    assert done.stderr.count("\n") <= 2
    assert file.read_text() == text


def test_submit_reports_missing_kernel_and_packages(opai, local_cluster):
    """A kernel, and packages that pip cannot find: the log says which, and the code is not 0."""
    (opai.folder / "work.ipynb").write_text(R)
    done = opai("notebook", "submit", "work.ipynb", "-i", "none", code=2)
    assert "The notebook wants the kernel 'ir'; this image has: " in done.stderr
    (opai.folder / "work.ipynb").write_text(EMPTY)
    wish = ["--pip", "no-such-package-of-openpai @ file:///gone.whl"]
    done = opai("notebook", "submit", "work.ipynb", "-i", "none", *wish, code=None)
    assert done.returncode not in (0, 2)
    assert "gone.whl" in done.stderr
    assert "did not come to run 'work.ipynb'" in done.stderr
