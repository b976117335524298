"""Notebooks go to a local cluster and come back executed."""

from __future__ import annotations

import json

import nbformat
import pytest
from support.wait import wait_until

from openpai.core.errors import ConflictError
from openpai.notebook import NotebookError, NotebookJob, submit_notebook, watch

EXAMPLE = "examples/notebooks/first-job.ipynb"


def test_example_returns_executed_notebook(cluster, root):
    """The first example: parameters in, figure, page and values out."""
    parameters = {"throws": 1000, "seed": 7}
    job = submit_notebook(
        root / EXAMPLE, cluster=cluster, image="none", parameters=parameters, wait=True
    )
    assert job.state() == "SUCCEEDED", "\n".join(job.logs())
    notebook = job.notebook()
    nbformat.validate(nbformat.from_dict(notebook))
    assert notebook["metadata"]["openpai"]["status"] == "succeeded"
    assert notebook["cells"][2]["source"] == "# Parameters\nthrows = 1000\nseed = 7"
    assert any("image/png" in o.get("data", {}) for o in notebook["cells"][5]["outputs"])
    assert 2.8 < job.result("pi") < 3.5
    assert "darts hit the quarter circle" in job.html()
    assert job.config().document["parameters"] == parameters


def test_failing_cell_fails_job(submit, printed):
    """The notebook up to the failing cell comes back, and the log tells how far it was."""
    job = submit("print('one')", "1 / 0", "print('three')", wait=True)
    assert (job.state(), job.exit_code()) == ("FAILED", 1)
    assert printed(job.notebook()) == ["one\n", "", ""]
    assert job.notebook()["cells"][1]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert "openpai-notebook: cell 2 of 3" in list(job.logs())


BAR = (
    "import sys\n"
    "for n in range(1001):\n"
    "    sys.stderr.write(f'\\rstep {n:4} of 1000')\n"
    "    sys.stderr.flush()"
)
RICH = (
    "from IPython.display import HTML, Image, JSON, display\n"
    "display(HTML('<b>bold</b>'), JSON({'a': [1]}), Image(b'\\x89PNG', format='png'))"
)


def test_rich_outputs_are_kept(submit, tmp_path):
    """Widgets keep their state, a progress bar its last, pictures and JSON their data."""
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed here")
    slider = (
        "import ipywidgets\nslider = ipywidgets.IntSlider(3)\ndisplay(slider)\nslider.value = 7"
    )
    job = submit(BAR, slider, RICH, wait=True)
    back = nbformat.read(job.fetch(tmp_path / "back"), as_version=4)
    nbformat.validate(back)
    bar, widget, rich = (cell.outputs for cell in back.cells)
    assert [output.text for output in bar] == ["step 1000 of 1000"]
    [view] = (o.data["application/vnd.jupyter.widget-view+json"]["model_id"] for o in widget)
    states = back.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert states[view]["state"]["value"] == 7
    assert [o.data.get("text/html") or o.data.get("application/json") for o in rich][:2] == [
        "<b>bold</b>",
        {"a": [1]},
    ]
    assert rich[2].data["image/png"].strip() == "iVBORw=="
    assert sum("step" in line for line in job.logs()) < 100


def test_dead_kernel_fails_job_without_retry(submit):
    """A job whose kernel is killed fails with the reason, and PAI does not restart it."""
    job = submit("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", wait=True)
    detail = job.status()
    assert (detail.state, job.exit_code(), detail.retries) == ("FAILED", 1, 0)
    assert "The kernel was killed" in job.notebook()["metadata"]["openpai"]["message"]


def test_stopped_job_returns_notebook(submit, printed):
    """A cell that never ends is interrupted by stopping the job, and what it printed is there."""
    job = submit("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)", "1")
    wait_until(lambda: "begun" in list(job.logs()), "the cell runs", timeout=120, show=job.status)
    job.stop()
    assert job.wait(timeout=60).state == "STOPPED"

    def status() -> str:
        return job.notebook()["metadata"]["openpai"]["status"]

    wait_until(lambda: status() == "stopped", "the notebook is back", show=status)
    assert printed(job.notebook())[0] == "begun\n"


def test_sources_and_outputs_keep_relative_paths(submit, tmp_path, printed):
    """Relative paths mean in the job what they mean here; other files are saved on request."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helper.py").write_text("ANSWER = 42")
    (tmp_path / "nb").mkdir()
    job = submit(
        "import sys; sys.path.append('../lib')\nimport helper\nprint(helper.ANSWER)",
        "open('täble.txt', 'w').write('saved')",
        file="nb/ünter 1.ipynb",
        sources=["lib"],
        outputs=["*.txt"],
        wait=True,
    )
    assert printed(job.notebook())[0] == "42\n", "\n".join(job.logs())
    storage, folder = job.outputs()
    with storage, storage.open_read(f"{folder}/nb/täble.txt") as file:
        assert file.read() == b"saved"


@pytest.mark.parametrize("file", ["$HOME [a] 'b' %20 {{c}}.ipynb", "unter ordner/ü <% 1 %>.ipynb"])
def test_special_characters_in_name_are_kept(submit, printed, tmp_path, file):
    """A name that a shell, a URL or PAI's own templates would read is a name in the job as well."""
    job = submit("print('run')", file=file, wait=True)
    assert job.state() == "SUCCEEDED", "\n".join(job.logs())
    assert printed(job.notebook()) == ["run\n"]
    assert job.fetch(tmp_path / "back").name == f"{job.name}.ipynb"


def test_notebooks_of_same_name_run_separately(submit, tmp_path):
    """Of two notebooks with one name each runs as itself, in its own folder."""
    first = submit("print('one')", file="a/work.ipynb", wait=True)
    second = submit("print('two')", file="b/work.ipynb", wait=True)
    texts = [job.notebook()["cells"][0]["outputs"][0]["text"] for job in (first, second)]
    assert texts == ["one\n", "two\n"]
    assert first.fetch(tmp_path) != second.fetch(tmp_path)


def test_format_3_without_kernelspec_runs(cluster, printed, tmp_path):
    """A notebook that names no kernel runs."""
    source = ["print(6 *\n", " 7)"]
    cell = {"cell_type": "code", "source": source, "outputs": []}
    document = {"nbformat": 4, "nbformat_minor": 0, "metadata": {}}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({**document, "cells": [cell]}))
    before = path.read_bytes()
    job = submit_notebook(path, cluster=cluster, image="none", cpu=1, memory=512, wait=True)
    assert printed(job.notebook()) == ["42\n"], "\n".join(job.logs())
    nbformat.validate(nbformat.from_dict(job.notebook()))
    assert path.read_bytes() == before


def test_folder_option_sends_whole_folder(submit, printed, tmp_path):
    """With ``folder`` what lies beside the notebook is there, what is ignored is not."""
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / "helper.py").write_text("ANSWER = 42")
    (tmp_path / "nb" / "huge.bin").write_text("0")
    (tmp_path / "nb" / ".gitignore").write_text("*.bin")
    source = "import helper, os\nprint(helper.ANSWER, os.path.exists('huge.bin'))"
    job = submit(source, file="nb/work.ipynb", folder=True, wait=True)
    assert printed(job.notebook()) == ["42 False\n"], "\n".join(job.logs())


def test_submitted_file_is_not_changed(submit, tmp_path, printed):
    """The submitted file stays as it is, and need not be writable."""
    job = submit("print(1)", wait=True)
    path = tmp_path / "work.ipynb"
    path.chmod(0o444)
    before = path.read_bytes()
    fetched = job.fetch(tmp_path / "back")
    assert fetched == tmp_path / "back" / f"{job.name}.ipynb"
    assert printed(nbformat.read(fetched, as_version=4)) == ["1\n"]
    assert path.read_bytes() == before


def test_script_mode_runs_without_jupyter(submit, tmp_path):
    """In the mode `script` the notebook runs as Python, and its values come back."""
    job = submit(
        "%matplotlib inline\nfrom openpai.notebook import record, submit_notebook",
        "print(submit_notebook())\nrecord('x', n + 1)",
        mode="script",
        parameters={"n": 1},
        wait=True,
    )
    assert job.state() == "SUCCEEDED", "\n".join(job.logs())
    assert "None" in list(job.logs())
    assert job.results() == {"x": 2}
    assert job.fetch(tmp_path / "back").suffix == ".py"
    with pytest.raises(NotebookError, match="runs as a script"):
        job.notebook()


def test_watch_in_terminal_prints_changes(submit, capsys):
    """Where there are no cells, each change is a line."""
    job = submit("print('first')", "1")
    assert watch(job, poll=0.1).state == "SUCCEEDED"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] in (f"{job.key}: WAITING", f"{job.key}: RUNNING")
    assert any(line.startswith(f"{job.key}: SUCCEEDED, cell 2 of 2, exit code 0") for line in lines)
    assert len(lines) < 30


def test_submit_notebook_inside_job_does_nothing(submit, cluster, printed):
    """A notebook that submits itself does so once."""
    before = sum(1 for _ in cluster.jobs())
    source = "from openpai.notebook import submit_notebook\nprint(submit_notebook('work.ipynb'))"
    job = submit(source, wait=True)
    assert printed(job.notebook()) == ["None\n"]
    assert sum(1 for _ in cluster.jobs()) == before + 1


def test_notebook_of_job_that_did_not_run_raises_error(submit):
    """A job that did not come to run its notebook gives none back, and says where to look."""
    job = submit("print(1)", kernel="no-such-kernel", wait=True)
    assert job.exit_code() == 2
    with pytest.raises(
        NotebookError, match=r"did not come to run 'work\.ipynb'; the job is FAILED"
    ):
        job.notebook()
    assert any("wants the kernel 'no-such-kernel'" in line for line in job.logs())


def test_result_of_unknown_value_raises_error(submit):
    """The error names what was."""
    job = submit("from openpai.notebook import record\nrecord('a', 1)", wait=True)
    with pytest.raises(NotebookError, match=r"recorded no 'b' \(recorded: a\)"):
        job.result("b")


def test_job_names_of_same_notebook_differ(submit):
    """Jobs of notebooks with the same name have names of their own, unless one is asked for."""
    first, second = submit("1"), submit("2")
    assert first.name != second.name
    name = first.name + "_x"
    submit("1", name=name)
    with pytest.raises(ConflictError, match=name):
        submit("2", name=name)


def test_notebook_of_other_job_raises_error(cluster, submit):
    """Asking a job that runs no notebook for one is a clear error."""
    from openpai.core.protocol.command_job import job_from_command

    key = cluster.submit(job_from_command("plain", ["true"], image="none")).key
    with pytest.raises(NotebookError, match="not the job of a notebook"):
        NotebookJob(cluster, key).notebook()
