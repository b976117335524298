"""One notebook, many sets of parameters."""

from __future__ import annotations

import json

import nbformat
import pytest

from openpai.core.errors import OpenPaiError
from openpai.core.protocol import JobSpec
from openpai.core.sweeps.parameters import grid
from openpai.notebook import sweep_notebook
from openpai.notebook.jobs.sweep import plan

CELLS = (
    "lr = 0\nname = ''",
    "from openpai.notebook import record\nrecord('loss', [lr * 2, name])\nassert name != 'bad'",
)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Write a notebook with parameters into the current folder."""
    from nbformat import v4

    monkeypatch.chdir(tmp_path)
    cells = [v4.new_code_cell(cell) for cell in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "train.ipynb")
    return tmp_path / "train.ipynb"


def test_sweep_notebook_returns_results(cluster, notebook):
    """Each job gets its values; the rows hold parameters, state and what was recorded."""
    points = grid(lr=[1, 0.5], name=["adam"])
    wishes = {"image": "none", "html": False, "cpu": 1, "memory": 512}
    sweep = sweep_notebook(notebook, [*points, {"lr": 2, "name": "bad"}], cluster=cluster, **wishes)
    sweep.wait(timeout=400)
    rows = sweep.results()
    assert [row["state"] for row in rows] == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    assert [row["loss"] for row in rows] == [[2.0, "adam"], [1.0, "adam"], [4.0, "bad"]]
    assert rows[1]["job"] == "train_lr-0p5_name-adam"
    again = sweep_notebook(notebook, points, cluster=cluster, **wishes)
    assert [job.name for job in again.notebook_jobs()][:2] == [row["job"] for row in rows[:2]]
    executed = sweep.notebook_jobs()[0].notebook()
    assert executed["cells"][1]["source"].startswith("# Parameters\nlr = 1.0\nname = 'adam'")


def test_job_sweep_accepts_notebook(opai, notebook):
    """`opai job sweep FILE.ipynb`, and the table of what the notebooks have recorded."""
    opai("local", "up", "--gpus", "0")
    where = {"cwd": notebook.parent}
    words = ["job", "sweep", "train.ipynb", "-p", "lr=3,4", "--image", "none"]
    sent = json.loads(opai(*words, "-o", "json", **where).stdout)
    assert [row["status"] for row in sent] == ["submitted", "submitted"]
    opai("sweep", "wait", "train", "--timeout", "400", timeout=500)
    metric = ["--metric", "train.results.json:loss"]
    table = opai("sweep", "results", "train", *metric, "--no-plot").stdout
    assert "train_lr-3" in table
    assert "train_lr-4  SUCCEEDED          0   4  8," in table, table


def test_sweep_notebook_refuses_inconsistent_points(cluster, notebook):
    """Sets of different parameters, or none, get a sentence; an unknown name is pointed out."""
    for points, words in (([{"lr": 1}, {"name": "a"}], "give 'lr'"), ([], "at least one set")):
        with pytest.raises(OpenPaiError, match=words):
            sweep_notebook(notebook, points, cluster=cluster, image="none")
    with plan(notebook, [{"momentum": 1}], JobSpec(image="none")) as made:
        assert made.remarks == ["The notebook declares no parameter 'momentum'."]


def test_job_sweep_explains_bad_input(opai, notebook):
    """An unknown image, a broken file, odd names: a sentence, and nothing is sent."""
    where = {"cwd": notebook.parent}
    done = opai("job", "sweep", "train.ipynb", "-p", "lr=1,2", code=2, **where)
    assert "The job needs an image." in done.stderr
    done = opai("job", "sweep", "train.ipynb", "-p", "l r=1,2", "-i", "none", code=2, **where)
    assert "'l r' cannot be the name of a parameter" in done.stderr
    notebook.write_text("{")
    done = opai("job", "sweep", "train.ipynb", "-p", "lr=1,2", "-i", "none", code=2, **where)
    assert "is cut short" in done.stderr


WATCH = """
from openpai.core.sweeps.parameters import grid
from openpai.notebook import sweep_notebook, watch
sweep = sweep_notebook('one.ipynb', grid(x=[1, 2]), image='none', html=False, cpu=1, memory=512)
jobs = watch(sweep, poll=0.2)
"""


def test_watch_shows_sweep(in_kernel, tmp_path):
    """One table is renewed until the last job has ended; it stays, and a sweep shows as it."""
    from nbformat import v4

    source = "from openpai.notebook import record\nrecord('twice', 2 * x)"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(source)]), tmp_path / "one.ipynb")
    shown = in_kernel("%load_ext openpai.notebook", WATCH, "sweep")
    [live] = shown[1]
    assert live["data"]["text/plain"].splitlines() == [
        "Job      x  twice  State",
        "one_x-1  1  2      SUCCEEDED",
        "one_x-2  2  4      SUCCEEDED",
    ]
    assert "<th style='text-align:left'>twice</th>" in live["data"]["text/html"]
    assert shown[2][0]["data"]["text/html"] == live["data"]["text/html"]
