"""`opai notebook` against a local cluster."""

from __future__ import annotations

import shutil

import nbformat

EXAMPLE = "examples/notebooks/first-job.ipynb"


def test_the_command_line_brings_the_notebook_back(opai, local_cluster, root):
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


def test_the_command_line_tells_a_failure(opai, local_cluster):
    """The exit code is the job's, and the notebook is there all the same."""
    from nbformat import v4

    failing = v4.new_code_cell("raise SystemExit('that is all')")
    nbformat.write(v4.new_notebook(cells=[failing]), opai.folder / "bad.ipynb")
    done = opai("notebook", "submit", "bad.ipynb", "-i", "none", "--no-html", code=1)
    assert (opai.folder / done.stdout.strip()).is_file()
    assert "failed: the cell raised SystemExit: that is all" in done.stderr


def test_the_command_line_refuses_before_it_sends(opai, local_cluster):
    """What cannot become a job is told in a sentence, and nothing is submitted."""
    (opai.folder / "cut.ipynb").write_text('{"nbformat": 4, "cells": [')
    good = opai.folder / "good.ipynb"
    good.write_text('{"nbformat": 4, "metadata": {}, "cells": []}')
    cases = [
        (["gone.ipynb"], "There is no file 'gone.ipynb'"),
        (["cut.ipynb"], "is cut short"),
        (["good.ipynb", "-p", "x"], "Write NAME=VALUE"),
        (["good.ipynb", "--mem", "much"], "no amount of memory"),
        (["good.ipynb", "--parameters-file", "gone.yaml"], "gone.yaml"),
    ]
    for words, sentence in cases:
        done = opai("notebook", "submit", "-i", "none", *words, code=None)
        assert done.returncode in (2, 4), done.stderr
        assert sentence in done.stderr
    assert opai("job", "list", "-o", "name").stdout == ""
