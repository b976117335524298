"""A notebook finds its own file, through a real Jupyter server and a real kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest

from openpai.notebook.errors import NotebookError
from openpai.notebook.locate import calling_notebook

pytest.importorskip("jupyter_server", reason="jupyter-server is not installed here")
from jupyter_client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.process

FIND = "from openpai.notebook.locate import calling_notebook; print(calling_notebook())"


class Server:
    """A running Jupyter server and its REST API."""

    def __init__(self, file):
        facts = json.loads(file.read_text())
        self.url, self.token = facts["url"], facts["token"]

    def call(self, method, path, body):
        """Send a request and return the answer."""
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = Request(self.url + path, json.dumps(body).encode(), headers, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def open(self, path):
        """Open a notebook as a front end does; return its session."""
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        return self.call("POST", "api/sessions", body)


@pytest.fixture
def root(tmp_path):
    """Return the folder of the notebooks."""
    folder = tmp_path / "root"
    (folder / "unter ordner").mkdir(parents=True)
    for name in ("plain.ipynb", "new.ipynb", "unter ordner/nötebook.ipynb"):
        (folder / name).write_text("{}")
    return folder


@pytest.fixture
def server(tmp_path, root, until):
    """Run a Jupyter server."""
    runtime = tmp_path / "runtime"
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path)}
    environment.pop("JPY_SESSION_NAME", None)
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    command += ["--port=0", "--ip=127.0.0.1", f"--ServerApp.root_dir={root}"]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    until(lambda: list(runtime.glob("jpserver-*.json")) or process.poll() is not None)
    found = list(runtime.glob("jpserver-*.json"))
    assert found, (tmp_path / "server.log").read_text()

    def answers():
        try:
            Server(found[0]).call("GET", "api/status", None)
        except OSError:
            return False
        return True

    until(answers)
    yield Server(found[0])
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture
def run_in(tmp_path):
    """Run code in the kernel of a session; return what it prints, or its error."""

    def run(kernel, code):
        file = tmp_path / "runtime" / f"kernel-{kernel}.json"
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels(hb=False)  # a busy machine misses a heartbeat of a second
        try:
            client.wait_for_ready(timeout=60)
            return executed(client, code)
        finally:
            client.stop_channels()
            client.context.term()

    return run


def executed(client, code, answer=None):
    """Run code through a client; return what it prints, or its error.

    A question of the code gets the answer; without one, no question can be asked.
    """
    texts = []

    def hook(message):
        content = message["content"]
        texts.append(content.get("text") or content.get("evalue") or "")

    asked = {"allow_stdin": answer is not None, "stdin_hook": lambda _: client.input(answer)}
    client.execute_interactive(code, output_hook=hook, timeout=60, **asked)
    return "".join(texts).strip()


@pytest.fixture
def lone_kernel(tmp_path, monkeypatch):
    """Start a kernel that no server knows; return its client."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "lone"))
    clients = []

    def start(**environment):
        manager, client = start_new_kernel(env={**os.environ, **environment})
        clients.append((manager, client))
        return client

    yield start
    for manager, client in clients:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        client.context.term()


@pytest.mark.parametrize("name", ["plain.ipynb", "unter ordner/nötebook.ipynb"])
def test_the_server_tells_the_file(server, root, run_in, name):
    """The session of the kernel names the notebook, wherever it lies below the server's folder."""
    kernel = server.open(name)["kernel"]["id"]
    assert run_in(kernel, FIND) == str(root / name)


def test_a_renamed_notebook_is_found(server, root, run_in):
    """The name that counts is today's, not that of the kernel's start."""
    session = server.open("plain.ipynb")
    server.call("PATCH", f"api/sessions/{session['id']}", {"path": "new.ipynb"})
    assert run_in(session["kernel"]["id"], FIND) == str(root / "new.ipynb")


def test_of_several_notebooks_each_finds_its_own(server, root, run_in):
    """Two notebooks on one server are told apart by their kernels."""
    first, second = server.open("plain.ipynb"), server.open("new.ipynb")
    assert run_in(second["kernel"]["id"], FIND) == str(root / "new.ipynb")
    assert run_in(first["kernel"]["id"], FIND) == str(root / "plain.ipynb")


CELLS = """
from pathlib import Path
from openpai.notebook.document import load_notebook
from openpai.notebook.locate import running_cells
file = Path('work.ipynb')
"""


def test_the_running_cell_is_found(lone_kernel, make_notebook):
    """The cell with the source that runs is known by its index; others are not it."""
    ask = CELLS + f"import os; os.chdir({str(make_notebook().parent)!r})\n"
    ask += "print(running_cells(load_notebook(file), file))"
    make_notebook("x = 1", ask, "y = 2")
    assert executed(lone_kernel(), ask) == "[1]"


def test_unsaved_changes_are_noticed(lone_kernel, make_notebook):
    """A cell that is not in the file as it runs was not saved."""
    ask = CELLS + f"import os; os.chdir({str(make_notebook().parent)!r})\n"
    ask += "print(running_cells(load_notebook(file), file))"
    make_notebook("x = 1", ask + "  # as it was before")
    assert "Save the notebook" in executed(lone_kernel(), ask)


def test_visual_studio_code_tells_the_file(lone_kernel, root):
    """The variable that VS Code sets in its kernels names the file."""
    named = root / "plain.ipynb"
    assert executed(lone_kernel(), f"__vsc_ipynb_file__ = {str(named)!r}\n{FIND}") == str(named)


def test_the_environment_of_the_kernel_tells_the_file(lone_kernel, root):
    """Without a server that answers, what it told the kernel at its start counts."""
    named = str(root / "plain.ipynb")
    assert executed(lone_kernel(JPY_SESSION_NAME=named), FIND) == named


def test_where_nothing_tells_the_user_is_asked(lone_kernel, root):
    """A kernel that nothing is known of asks for the file, and takes no name that is none."""
    client = lone_kernel(JPY_SESSION_NAME="some-uuid")
    named = str(root / "plain.ipynb")
    assert executed(client, FIND, answer=named) == named
    assert "cannot be found out" in executed(client, FIND, answer="gone.ipynb")
    assert "cannot be found out" in executed(client, FIND, answer="")


def test_where_nobody_can_be_asked_there_is_a_sentence(lone_kernel):
    """Where a cell cannot ask, an error says what to write."""
    answer = executed(lone_kernel(JPY_SESSION_NAME="some-uuid"), FIND)
    assert "Name it: submit_notebook('NAME.ipynb')" in answer


def test_the_files_of_the_classic_server_are_read(server, root, run_in, tmp_path):
    """The server of Notebook 6 and older leaves files of another name and another key."""
    kernel = server.open("plain.ipynb")["kernel"]["id"]
    [file] = (tmp_path / "runtime").glob("jpserver-*.json")
    facts = json.loads(file.read_text())
    facts["notebook_dir"] = facts.pop("root_dir")
    file.with_name("nbserver-1.json").write_text(json.dumps(facts))
    file.unlink()
    assert run_in(kernel, FIND) == str(root / "plain.ipynb")


COLAB = """
import json, sys, types
google, colab, message = map(types.ModuleType, ("google", "google.colab", "google.colab._message"))
google.__path__, colab.__path__ = [], []
sys.modules.update({m.__name__: m for m in (google, colab, message)})
def blocking_request(request_type, request="", timeout_sec=5):
    assert request_type == "get_ipynb"
    return PAGE
message.blocking_request = blocking_request
"""
OWN = "from openpai.notebook.submit import _own_notebook; print(_own_notebook())"


def test_colab_hands_over_its_notebook(lone_kernel, tmp_path):
    """In a kernel like Colab's the page is asked; what it does not tell gets a sentence."""
    cells = [{"cell_type": "code", "source": ["1\n", "2"]}, {"cell_type": "code", "source": OWN}]
    page = {"nbformat": 4, "metadata": {"colab": {"name": "Mine.ipynb"}}, "cells": cells}
    client = lone_kernel()
    executed(client, f"import os; os.chdir({str(tmp_path)!r})\n{COLAB}")
    executed(client, f"PAGE = json.loads({json.dumps({'ipynb': page})!r})")
    told = executed(client, OWN)
    assert told.startswith(f"(PosixPath('{tmp_path}/Mine.ipynb'), {{")
    assert told.endswith(", [1])")
    executed(client, "PAGE = None")
    assert "Colab does not hand over this notebook (TypeError)." in executed(client, OWN)


def test_outside_of_a_notebook_there_is_a_question():
    """A script has no notebook of its own."""
    with pytest.raises(NotebookError, match="does not run in a notebook"):
        calling_notebook()
