"""Notebooks go to a local cluster and come back executed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import nbformat
import pytest

from openpai.core import Cluster
from openpai.core.errors import ConflictError
from openpai.core.local import LocalCluster
from openpai.notebook import NotebookError, NotebookJob, submit_notebook

EXAMPLE = "examples/notebooks/first-job.ipynb"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Run a local cluster whose tasks find the Python of the tests first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        with LocalCluster(tmp_path_factory.mktemp("cluster")) as local:
            yield local


@pytest.fixture
def cluster(running, clean_home):
    """Return the client of that cluster."""
    with Cluster(running.uri, user=running.user, token=running.token) as cluster:
        yield cluster


@pytest.fixture
def submit(cluster, tmp_path, monkeypatch):
    """Write a notebook of these cells into the current folder and submit it."""
    monkeypatch.chdir(tmp_path)

    def submit(*cells: str, file: str = "work.ipynb", **options) -> NotebookJob:
        from nbformat import v4

        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells]), path)
        options = {"image": "none", "html": False, "cpu": 1, "memory": 512, **options}
        return submit_notebook(path, cluster=cluster, **options)

    return submit


def printed(notebook: dict) -> list[str]:
    """Return what each cell has printed."""
    texts = (
        [output.get("text", "") for output in cell.get("outputs", [])] for cell in notebook["cells"]
    )
    return ["".join(pieces) for pieces in texts]


def wait_until(condition) -> None:
    """Wait until a condition holds, at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.1)


def test_an_example_comes_back_executed(cluster, root):
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
    assert any("image/svg+xml" in o.get("data", {}) for o in notebook["cells"][5]["outputs"])
    assert 2.8 < job.result("pi") < 3.5
    assert "darts hit the quarter circle" in job.html()
    assert job.config().document["parameters"] == parameters


def test_a_failing_cell_fails_the_job_and_the_notebook_is_there(submit):
    """The notebook up to the failing cell comes back, and the log tells how far it was."""
    job = submit("print('one')", "1 / 0", "print('three')", wait=True)
    assert (job.state(), job.exit_code()) == ("FAILED", 1)
    assert printed(job.notebook()) == ["one\n", "", ""]
    assert job.notebook()["cells"][1]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert "openpai-notebook: cell 2 of 3" in list(job.logs())


def test_a_dead_kernel_ends_the_job_once(submit):
    """A job whose kernel is killed fails with the reason, and PAI does not start it anew."""
    job = submit("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", wait=True)
    detail = job.status()
    assert (detail.state, job.exit_code(), detail.retries) == ("FAILED", 1, 0)
    assert "The kernel was killed" in job.notebook()["metadata"]["openpai"]["message"]


def test_a_stopped_job_gives_back_the_notebook(submit):
    """A cell that never ends is interrupted by stopping the job, and what it printed is there."""
    job = submit("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)", "1")
    wait_until(lambda: "begun" in list(job.logs()))
    job.stop()
    assert job.wait(timeout=60).state == "STOPPED"
    wait_until(lambda: job.notebook()["metadata"]["openpai"]["status"] == "stopped")
    assert printed(job.notebook())[0] == "begun\n"


def test_sources_and_outputs_keep_their_places(submit, tmp_path):
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


def test_a_read_only_notebook_is_not_touched(submit, tmp_path):
    """The submitted file stays as it is, and need not be writable."""
    job = submit("print(1)", wait=True)
    path = tmp_path / "work.ipynb"
    path.chmod(0o444)
    before = path.read_bytes()
    fetched = job.fetch(tmp_path / "back")
    assert fetched == tmp_path / "back" / f"{job.name}.ipynb"
    assert printed(nbformat.read(fetched, as_version=4)) == ["1\n"]
    assert path.read_bytes() == before


def test_a_script_needs_no_jupyter(submit, tmp_path):
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


def test_inside_a_job_a_submission_does_nothing(submit, cluster):
    """A notebook that submits itself does so once."""
    before = sum(1 for _ in cluster.jobs())
    source = "from openpai.notebook import submit_notebook\nprint(submit_notebook('work.ipynb'))"
    job = submit(source, wait=True)
    assert printed(job.notebook()) == ["None\n"]
    assert sum(1 for _ in cluster.jobs()) == before + 1


def test_what_was_not_run_is_not_passed_off_as_executed(submit):
    """A job that did not come to run its notebook gives none back, and says where to look."""
    job = submit("print(1)", kernel="no-such-kernel", wait=True)
    assert job.exit_code() == 2
    with pytest.raises(
        NotebookError, match=r"did not come to run 'work\.ipynb'; the job is FAILED"
    ):
        job.notebook()
    assert any("wants the kernel 'no-such-kernel'" in line for line in job.logs())


def test_a_value_that_was_not_recorded(submit):
    """The error names what was."""
    job = submit("from openpai.notebook import record\nrecord('a', 1)", wait=True)
    with pytest.raises(NotebookError, match=r"recorded no 'b' \(recorded: a\)"):
        job.result("b")


def test_two_notebooks_of_one_name(submit):
    """Jobs of notebooks with the same name have names of their own, unless one is asked for."""
    first, second = submit("1"), submit("2")
    assert first.name != second.name
    name = first.name + "_x"
    submit("1", name=name)
    with pytest.raises(ConflictError, match=name):
        submit("2", name=name)


def test_other_jobs_are_told_from_notebooks(cluster, submit):
    """Asking a job that runs no notebook for one is a clear error."""
    from openpai.core.command_job import command_job

    key = cluster.submit(command_job("plain", ["true"], image="none")).key
    with pytest.raises(NotebookError, match="not the job of a notebook"):
        NotebookJob(cluster, key).notebook()


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


@pytest.fixture
def in_kernel(running, clean_home, tmp_path, monkeypatch):
    """Run the cells of a notebook file in a real kernel that knows the cluster.

    Returns the outputs of each cell. The kernel knows its file as a Jupyter server tells it.
    """
    from nbclient import NotebookClient
    from nbformat import v4

    from openpai.core.config.clusters import ClusterEntry, save_cluster

    save_cluster(ClusterEntry("mine", running.uri, running.user, token=running.token))
    path = tmp_path / "own.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))

    def run(*cells: str) -> list[list[dict]]:
        document = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
        nbformat.write(document, path)
        client = NotebookClient(
            document,
            timeout=120,
            allow_errors=True,
            resources={"metadata": {"path": str(tmp_path)}},
        )
        client.execute()
        return [cell.outputs for cell in document.cells]

    return run


def text_of(outputs: list[dict]) -> str:
    """Return all that a cell shows as text."""
    return "".join(
        output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", "")
        for output in outputs
    )


LOAD = "%load_ext openpai.notebook"
SIZE = "-i none --cpu 1 --mem 512m"


def test_a_notebook_submits_itself(in_kernel):
    """Without a path the calling notebook is sent, and the calling cell is not run in the job."""
    submit = (
        "from openpai.notebook import submit_notebook\n"
        "job = submit_notebook(image='none', html=False, cpu=1, memory=512, wait=True)"
    )
    look = (
        "print(job.state(), [[o.get('text') for o in c['outputs']] for c in"
        " job.notebook()['cells'][:3]])"
    )
    shown = in_kernel("print('before')", submit, "print('after')", f"if 'job' in globals(): {look}")
    assert text_of(shown[3]) == "SUCCEEDED [['before\\n'], [], ['after\\n']]\n", shown


def test_a_command_runs_in_a_cell(in_kernel):
    """`%opai` writes what the command says, and tells a failure in one sentence."""
    shown = in_kernel(LOAD, "%opai cluster list", "%opai job status no-such-job")
    assert "mine" in text_of(shown[1])
    assert "no-such-job is not found" in text_of(shown[2])
    assert "The command ended with exit code 4." in text_of(shown[2])


def test_a_cell_runs_as_a_job(in_kernel):
    """`%%opai` takes variables in and out, streams the log, and shows figures."""
    source = (
        f"%%opai {SIZE} --in x,names --out y\n"
        "print('in the job')\n"
        "display({'text/html': '<b>figure</b>', 'text/plain': 'figure'}, raw=True)\n"
        "y = {'twice': [2 * x, names]}"
    )
    shown = in_kernel(LOAD, "x, names = 1.0, ['ü', None]", source, "print(y)")
    assert text_of(shown[3]) == "{'twice': [2.0, ['ü', None]]}\n", shown[2]
    assert "in the job" in text_of(shown[2])
    assert any("<b>figure</b>" in o.get("data", {}).get("text/html", "") for o in shown[2])


def test_a_failing_cell_of_a_job(in_kernel):
    """A job's failure is the cell's, in one sentence; wrong options are told the same way."""
    shown = in_kernel(
        LOAD,
        f"%%opai {SIZE}\n1 / 0",
        f"%%opai {SIZE} --in nothing\n1",
        "f = open\n",
        f"%%opai {SIZE} --in f\n1",
        "%%opai --gpus 1\n1",
    )
    assert "FAILED: the cell raised ZeroDivisionError: division by zero" in text_of(shown[1])
    assert "There is no variable 'nothing'" in text_of(shown[2])
    assert "cannot go into the job" in text_of(shown[4])
    assert "unrecognized arguments: --gpus" in text_of(shown[5])


def test_a_job_is_watched_until_it_has_ended(in_kernel):
    """One output is renewed in place, and what it shows last is how the job ended."""
    source = (
        "from openpai.core import Cluster\n"
        "from openpai.core.command_job import command_job\n"
        "from openpai.notebook import watch\n"
        "job = Cluster.load().submit(command_job('watched', ['echo the log'], image='x', cpu=1))\n"
        "detail = watch(job, poll=0.1)"
    )
    [shown] = in_kernel(source)
    assert len(shown) == 1, shown
    assert "watched: SUCCEEDED" in shown[0]["data"]["text/plain"]
    assert "the log" in shown[0]["data"]["text/plain"]
    assert "SUCCEEDED" in shown[0]["data"]["text/html"]


def run_over_http(url: str, path: str, source: str) -> str:
    """Open a notebook in a Jupyter server as a front end does, run code, return what it prints."""
    import asyncio
    import json
    from urllib.parse import urlsplit
    from uuid import uuid4

    from tornado.httpclient import AsyncHTTPClient, HTTPRequest
    from tornado.websocket import websocket_connect

    parts = urlsplit(url)
    headers = {"Authorization": f"token {parts.query.partition('=')[2]}"}

    async def run() -> str:
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        sessions = f"http://{parts.netloc}/api/sessions"
        request = HTTPRequest(sessions, "POST", headers, json.dumps(body))
        kernel = json.loads((await AsyncHTTPClient().fetch(request)).body)["kernel"]["id"]
        address = f"ws://{parts.netloc}/api/kernels/{kernel}/channels"
        socket = await websocket_connect(HTTPRequest(address, headers=headers))
        header = {"msg_id": uuid4().hex, "username": "", "session": "s", "version": "5.3"}
        message = {
            "header": {**header, "msg_type": "execute_request"},
            "parent_header": {},
            "metadata": {},
            "channel": "shell",
            "content": {"code": source, "silent": False, "store_history": True},
        }
        await socket.write_message(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(socket.read_message(), 60))
            if answer["header"]["msg_type"] == "stream":
                socket.close()
                return answer["content"]["text"]

    return asyncio.run(run())


def test_an_interactive_job_serves_the_notebook(submit, cluster, tmp_path):
    """The address answers, takes only the token, runs a cell, and gives back what was saved."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed here")
    job = submit("print('in the file')", mode="interactive")
    url = job.server_url(timeout=100)
    assert run_over_http(url, "work.ipynb", "print(6 * 7)") == "42\n"
    with urlopen(url, timeout=30) as page:
        assert page.geturl().partition("?")[0].endswith("/lab/tree/work.ipynb")
    with pytest.raises(HTTPError, match="403"):
        urlopen(url.partition("?")[0] + "api/sessions", timeout=30).close()
    token = url.partition("=")[2]
    assert token not in job.config().to_yaml() + "\n".join(job.logs())
    job.stop()
    assert job.wait(timeout=60).state == "STOPPED"
    wait_until(lambda: job.notebook()["cells"][0]["source"] == "print('in the file')")
    with pytest.raises(NotebookError, match="has ended"):
        job.server_url()


def test_tokens_are_kept_from_others(submit, clean_home):
    """The file of tokens is the user's alone; a machine without it is told so."""
    job = submit("1", mode="interactive", name="private")
    file = clean_home / "notebook-tokens.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    job.stop()
    with pytest.raises(NotebookError, match="is not known on this machine"):
        job.server_url()
