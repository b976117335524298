"""Notebooks as scripts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats.nbformat4 import load_notebook
from openpai.notebook.formats.script import to_script


@pytest.fixture
def run_script(make_notebook, tmp_path):
    """Convert these cells and run the script; return what it prints."""

    def run(*cells: str) -> str:
        script = tmp_path / "script.py"
        script.write_text(to_script(load_notebook(make_notebook(*cells)), "work.ipynb"))
        done = subprocess.run(
            [sys.executable, "-u", str(script)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    return run


RUNS = {
    "plain code": (["a = 1", "print(a + 1)"], "2\n"),
    "a shell line": (["!echo one"], "one\n"),
    "a shell line in a block": (["for i in range(2):\n    !echo {i}"], "0\n1\n"),
    "a local in a shell line": (["def f(x):\n    !echo $x {x + 1}\nf(3)"], "3 4\n"),
    "the shell's own variables": (["!A=5; echo $A ${A}"], "5 5\n"),
    "the shell's own braces": (["!echo {a,b}"], "a b\n"),
    "a failing shell line": (["!false\nprint('on')"], "on\n"),
    "lines of the shell": (["files = !printf 'a\\nb'", "print(files)"], "['a', 'b']\n"),
    "a long shell line": (["!echo a \\\n  b"], "a b\n"),
    "a shell cell": (["%%bash\necho one\necho two"], "one\ntwo\n"),
    "a file": (["%%writefile note.txt\nhello", "print(open('note.txt').read())"], "hello\n\n"),
    "more of a file": (
        ["%%writefile n.txt\na", "%%writefile -a n.txt\nb", "print(open('n.txt').read())"],
        "a\nb\n\n",
    ),
    "a timed cell": (["%%time\nprint(1)"], "1\n"),
    "a timed line": (["%time x = 3\nprint(x)"], "3\n"),
    "another folder": (["%cd /\n%cd /", "import os; print(os.getcwd())"], "/\n"),
    "a variable": (["%env MINE=a b", "%env MINE"], "a b\n"),
    "another script": (["%%writefile h.py\nhelp = 4", "%run h.py", "print(help)"], "4\n"),
    "what only a notebook needs": (["%matplotlib inline\n%load_ext x\nprint(1)\nprint?"], "1\n"),
    "such a thing in a block": (["if True:\n    %matplotlib inline\nprint(1)"], "1\n"),
    "percent in a text": (["x = '''\n%cd /nowhere\n!false\n'''\nprint(x.strip())"],
                          "%cd /nowhere\n!false\n"),
    "percent after a bracket": (["x = (7\n%4\n)\nprint(x)"], "3\n"),
    "percent after a backslash": (["x = 7 \\\n%4\nprint(x)"], "3\n"),
    "a value shown": (["display('shown')"], "shown\n"),
    "no cells": ([], ""),
}  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("case", RUNS)
def test_script_prints_output_of_cells(run_script, case):
    """The script prints what the cells would."""
    cells, expected = RUNS[case]
    assert run_script(*cells) == expected


REFUSED = {
    "a magic of IPython's": (["x = 1", "%timeit x"], "cell 2 uses '%timeit'"),
    "a cell in another language": (["%%javascript\nalert(1)"], "cell 1 uses '%%javascript'"),
    "captured output": (["%%capture out\nprint(1)"], "cell 1 uses '%%capture out'"),
    "another notebook": (["%run other.ipynb"], "cell 1 uses '%run'"),
    "top-level await": (["await f()"], "cell 1, line 1 something is awaited"),
    "wrong Python": (["x = 1", "x = = 2"], "cell 2, line 1 Python finds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_to_script_refuses_unsupported_cell(make_notebook, case):
    """Nothing is dropped in silence: the code cell is named."""
    cells, expected = REFUSED[case]
    with pytest.raises(InvalidNotebookError, match=f"(?i){expected}"):
        to_script(load_notebook(make_notebook(*cells)), "work.ipynb")


@pytest.mark.process
def test_script_stops_at_failing_shell_cell(run_script):
    """A %%bash cell that fails raises, as it does in a notebook."""
    assert "CalledProcessError" in run_script("%%bash\nexit 3", "print('never')")


def test_to_script_refuses_other_language(make_notebook):
    """A notebook in R does not become a Python script."""
    path = make_notebook("1", metadata={"kernelspec": {"name": "ir", "language": "R"}})
    with pytest.raises(InvalidNotebookError, match="notebook in r; only Python"):
        to_script(load_notebook(path), "work.ipynb")


def test_to_script_leaves_out_text_cells(make_notebook):
    """Only code gets into the script."""
    path = make_notebook({"cell_type": "markdown", "metadata": {}, "source": "# Title"}, "x = 1")
    assert "Title" not in to_script(load_notebook(path), "work.ipynb")
