"""Notebooks that run in a real kernel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from openpai.core.cgroups import oom_kills

pytestmark = pytest.mark.process

UPDATED = """\
h = display('old', display_id=True)
print('between')
h.update('new')
"""

CLEARED = """\
from IPython.display import clear_output
for n in range(3): clear_output(wait=True); print(n)
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory, write_notebook, run_notebook):
    """Run one notebook for the tests that only look at what a successful run leaves."""
    path = tmp_path_factory.mktemp("ünter folder") / "nötebook ü.ipynb"
    cells = {
        "stream": "print('hello')",
        "assignment": "x = 20",
        "value": "x + 1",
        "parameters": "print(lr, name)",
        "folder": "import os; print(os.getcwd())",
        "updated": UPDATED,
        "cleared": CLEARED,
        "record": "from openpai.notebook import record\nrecord('accuracy', 0.5)",
        "expected error": "1 / 0",
        "skipped": "print('skipped')",
    }
    write_notebook(path, *cells.values())
    document = json.loads(path.read_bytes())
    document["cells"][-2]["metadata"]["tags"] = ["raises-exception"]
    document["cells"][-1]["metadata"]["tags"] = ["skip-execution"]
    path.write_text(json.dumps(document))
    words = ["--parameters", "-", "--html"]
    done = run_notebook(path, *words, input="float lr 1\ntext name it's\n")
    assert done.returncode == 0, done.stdout + done.stderr
    return SimpleNamespace(path=path, log=done.stdout, names=["injected", *cells])


@pytest.fixture(scope="module")
def output_of(executed, outputs):
    """Return the outputs of a cell of that notebook."""
    found = dict(zip(executed.names, outputs(executed.path), strict=True))
    return found.__getitem__


shared_run = pytest.mark.xdist_group("notebook-run")


@shared_run
def test_run_writes_outputs(executed, output_of):
    """Printed text, values and no errors: the notebook is what Jupyter would have made."""
    assert output_of("stream") == [{"output_type": "stream", "name": "stdout", "text": ["hello\n"]}]
    assert output_of("value")[0]["data"] == {"text/plain": ["21"]}
    document = nbformat.read(executed.path, as_version=4)
    nbformat.validate(document)
    assert document.metadata.openpai.status == "succeeded"
    assert document.metadata.language_info.name == "python"
    counts = [cell.execution_count for cell in document.cells]
    assert counts == [*range(1, len(executed.names)), None]


@shared_run
def test_run_honours_tags_of_jupyter(executed, output_of):
    """`raises-exception` lets one cell fail; `skip-execution` leaves one out."""
    assert output_of("expected error")[0]["ename"] == "ZeroDivisionError"
    assert "cell 11 of 11 is left out, as its tag says." in executed.log
    assert output_of("skipped") == []


@shared_run
def test_run_keeps_last_state_of_changed_outputs(output_of):
    """Updated displays and cleared outputs leave their last state."""
    assert output_of("updated")[0]["data"]["text/plain"] == ["'new'"]
    assert output_of("cleared") == [{"output_type": "stream", "name": "stdout", "text": ["2\n"]}]


@shared_run
def test_run_works_in_folder_of_notebook(executed, output_of):
    """The kernel's working folder is the notebook's, whatever its name."""
    assert output_of("folder")[0]["text"] == [f"{executed.path.parent}\n"]


@shared_run
def test_run_sets_parameters_from_stdin(output_of):
    """Values from stdin are set by an injected cell."""
    assert output_of("parameters")[0]["text"] == ["1.0 it's\n"]


@shared_run
def test_run_keeps_recorded_results(executed):
    """What a notebook records is read from the executed file."""
    from openpai.notebook.formats.nbformat4 import load_notebook
    from openpai.notebook.formats.results import recorded

    assert recorded(load_notebook(executed.path)) == {"accuracy": 0.5}


@shared_run
def test_run_writes_html_page(executed):
    """--html gives a page beside the notebook, or says why there is none."""
    page = executed.path.with_suffix(".html")
    assert "no nbconvert" in executed.log or "hello" in page.read_text()


def test_run_logs_progress_and_output(make_notebook, run_notebook):
    """What the cells print stands between the lines that tell how far they are."""
    done = run_notebook(make_notebook("print('hello')", "import time; time.sleep(1); 1 + 1"))
    expected = (
        r"openpai-notebook: cell 1 of 2\nhello\n"
        r"(openpai-notebook: cell 1 of 2 took \d+\.\d s\n)?"  # on a busy machine
        r"openpai-notebook: cell 2 of 2\n2\n"
        r"openpai-notebook: cell 2 of 2 took [1-9]\d*\.\d s\nopenpai-notebook: succeeded\.\n"
    )
    assert re.fullmatch(expected, done.stdout), done.stdout
    # ipykernel itself may complain there while it ends on a loaded machine.
    assert "openpai-notebook:" not in done.stderr
    assert "hello" not in done.stderr


def test_run_stops_at_failing_cell(make_notebook, run_notebook, outputs):
    """The notebook up to the failing cell is there, with the error; later cells did not run."""
    path = make_notebook("print(1)", "1 / 0", "print(3)")
    done = run_notebook(path)
    assert done.returncode == 1
    first, second, third = outputs(path)
    assert first[0]["text"] == ["1\n"]
    assert second[0]["ename"] == "ZeroDivisionError"
    assert third == []
    assert "failed: the cell raised ZeroDivisionError: division by zero" in done.stdout
    assert json.loads(path.read_bytes())["metadata"]["openpai"]["status"] == "failed"


def test_run_continues_after_allowed_error(make_notebook, run_notebook, outputs):
    """With --allow-errors the cells after a failed one run, and the job succeeds."""
    path = make_notebook("1 / 0", "print(2)")
    done = run_notebook(path, "--allow-errors")
    assert done.returncode == 0
    assert outputs(path)[1][0]["text"] == ["2\n"]


@pytest.mark.parametrize(("how", "code", "words"), [
    ("os.kill(os.getpid(), signal.SIGKILL)", 1, "The kernel was killed (SIGKILL)"),
    ("os.kill(os.getpid(), signal.SIGSEGV)", 1, "The kernel was killed by SIGSEGV"),
    ("os._exit(7)", 7, "The kernel ended by itself, with exit code 7"),
])  # fmt: skip
def test_run_reports_dead_kernel(make_notebook, run_notebook, outputs, how, code, words):
    """The notebook comes back with what the cell printed and why its kernel is gone."""
    path = make_notebook("import os, signal; print('before')", how, "print(3)")
    kills = oom_kills()
    done = run_notebook(path)
    assert done.returncode == code
    assert oom_kills() != kills or words in done.stdout
    [printed], [error], never = outputs(path)
    assert printed["text"] == ["before\n"]
    assert never == []
    assert (error["output_type"], error["ename"]) == ("error", "DeadKernelError")


def test_run_bounds_ten_megabytes_of_text(make_notebook, run_notebook, outputs):
    """The log has all of it, the notebook its beginning and its end."""
    path = make_notebook("for n in range(100_000): print(f'{n:099}')", "print('after')")
    done = run_notebook(path)
    assert done.returncode == 0
    printed = [line for line in done.stdout.splitlines() if not line.startswith("openpai-")]
    assert len(printed) == 100_001
    assert printed[-2:] == [f"{99_999:099}", "after"]
    head, tail = outputs(path)[0]
    assert head["text"][0] == f"{0:099}\n"
    assert tail["text"][-1] == f"{99_999:099}\n"
    assert path.stat().st_size < 2_000_000


def test_run_keeps_all_displays(make_notebook, run_notebook, outputs):
    """A cell that shows more at once than is read meanwhile loses none of it."""
    path = make_notebook("for n in range(3_000): display({'text/plain': str(n)}, raw=True)")
    done = run_notebook(path)
    assert done.returncode == 0, done.stderr
    shown = [output["data"]["text/plain"] for output in outputs(path)[0]]
    assert shown == [[str(n)] for n in range(3_000)]


def test_run_removes_outputs_of_earlier_run(make_notebook, run_notebook, outputs):
    """A cell that was not run again does not show what it put out another time."""
    path = make_notebook("1 / 0", "print(2)")
    document = json.loads(path.read_bytes())
    stale = {"output_type": "stream", "name": "stdout", "text": "stale"}
    document["cells"][1].update(outputs=[stale], execution_count=9)
    path.write_text(json.dumps(document))
    run_notebook(path)
    assert outputs(path)[1] == []
    assert json.loads(path.read_bytes())["cells"][1]["execution_count"] is None


def test_run_without_kernelspec_uses_python(make_notebook, run_notebook, outputs):
    """A notebook that names no kernel runs in the image's Python."""
    path = make_notebook("1 + 1", metadata={})
    assert run_notebook(path).returncode == 0
    assert outputs(path)[0][0]["data"]["text/plain"] == ["2"]


def test_run_replaces_unknown_python_kernel(make_notebook, run_notebook):
    """A Python notebook whose environment is not here runs in the image's Python, and says so."""
    spec = {"kernelspec": {"name": "conda-env-mine", "language": "python", "display_name": "x"}}
    done = run_notebook(make_notebook("1", metadata=spec))
    assert done.returncode == 0
    assert "there is no kernel 'conda-env-mine' here; the notebook runs in 'python3'" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--kernel", "ir"]])
def test_run_refuses_missing_kernel(make_notebook, run_notebook, arguments):
    """A kernel that is not here is named, with those that are; the notebook stays as it was."""
    language = "python" if arguments else "R"
    path = make_notebook("1", metadata={"kernelspec": {"name": "ir", "language": language}})
    before = path.read_bytes()
    done = run_notebook(path, *arguments)
    assert done.returncode == 2
    assert "wants the kernel 'ir'; this image has: " in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_run_reports_kernel_that_does_not_start(make_notebook, run_notebook, tmp_path):
    """A kernel that ends before it is ready is said to, and nothing hangs."""
    spec = tmp_path / "kernels" / "broken"
    spec.mkdir(parents=True)
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    text = json.dumps({"argv": command, "display_name": "x", "language": "python"})
    (spec / "kernel.json").write_text(text)
    done = run_notebook(
        make_notebook("1"), "--kernel", "broken", env={"JUPYTER_PATH": str(tmp_path)}
    )
    assert done.returncode == 2
    assert "no such thing" in done.stderr
    assert "The kernel 'broken' did not start" in done.stderr


def test_run_in_venv_writes_html_page(make_notebook, tmp_path):
    """In the environment of a job's requirements the page is made with the image's templates."""
    pytest.importorskip("nbconvert", reason="nbconvert is not installed here")
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "image.pth").write_text("".join(f"{path}\n" for path in sys.path if path))
    path = make_notebook("print('on the page')")
    words = [str(folder / "bin" / "python"), "-m", "openpai.notebook.execute", str(path), "--html"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "on the page" in path.with_suffix(".html").read_text(), done.stdout


@pytest.mark.parametrize("name", ["tmp", "t" * 100])
def test_run_leaves_no_files(make_notebook, run_notebook, tmp_path, name):
    """The kernel's files lie in a temporary folder, not in the home, and go with the kernel.

    Also where the path of that folder is too long for sockets.
    """
    home, temporary = tmp_path / "home", tmp_path / name
    home.mkdir()
    temporary.mkdir()
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)}
    done = run_notebook(make_notebook("1"), env=env)
    assert done.returncode == 0, done.stderr
    assert list(temporary.iterdir()) == []
    assert list(home.rglob("kernel-*")) == []


def test_run_fails_if_notebook_cannot_be_saved(make_notebook, run_notebook, tmp_path):
    """Where the result cannot be written the job says so and fails."""
    done = run_notebook(make_notebook("1"), "--output", str(tmp_path / "no" / "x.ipynb"))
    assert done.returncode == 1
    assert "the notebook cannot be saved" in done.stdout
    # ipykernel may log an error of its own when it is ended while it starts.
    kernel = r"(?s)ERROR:tornado\.general:.*?zmq\.error\.ZMQError: [^\n]*\n"
    assert "Traceback" not in re.sub(kernel, "", done.stderr)
