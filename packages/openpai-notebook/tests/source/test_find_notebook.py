"""A notebook finds its own file, through a real Jupyter server and a real kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from support.wait import wait_until

from openpai.notebook.errors import NotebookError
from openpai.notebook.source.find_notebook import calling_notebook

pytest.importorskip("jupyter_server", reason="jupyter-server is not installed here")
from jupyter_client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("notebook-server")]

FIND = (
    "from openpai.notebook.source.find_notebook import calling_notebook; print(calling_notebook())"
)


class Server:
    """A running Jupyter server and its REST API."""

    def __init__(self, file):
        facts = json.loads(file.read_text())
        self.file, self.root = file, Path(facts["root_dir"])
        self.url, self.token = facts["url"], facts["token"]

    def call(self, method, path, body):
        """Send a request and return the answer."""
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = Request(self.url + path, json.dumps(body).encode(), headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def open(self, path):
        """Open a new notebook as a front end does; return its session."""
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}")
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        return self.call("POST", "api/sessions", body)

    def run_in(self, kernel, code):
        """Run code in the kernel of a session; return what it prints, or its error."""
        file = self.file.with_name(f"kernel-{kernel}.json")
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels(hb=False)  # a busy machine misses a heartbeat of a second
        try:
            client.wait_for_ready(timeout=120)
            return executed(client, code)
        finally:
            client.stop_channels()
            client.context.term()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Run a Jupyter server."""
    folder = tmp_path_factory.mktemp("server")
    runtime, root, log = folder / "runtime", folder / "root", folder / "server.log"
    root.mkdir()
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(folder)}
    environment.pop("JPY_SESSION_NAME", None)
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    command += ["--port=0", "--ip=127.0.0.1", f"--ServerApp.root_dir={root}"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)

    def answering():
        assert process.poll() is None, log.read_text()
        with suppress(OSError, ValueError):  # its file is empty at first
            for file in runtime.glob("jpserver-*.json"):
                server = Server(file)
                server.call("GET", "api/status", None)
                return server
        return None

    try:
        yield wait_until(answering, "the server answers", timeout=300, show=log.read_text)
    finally:
        process.terminate()
        process.wait(timeout=120)


def executed(client, code, answer=None):
    """Run code through a client; return what it prints, or its error.

    A question of the code gets the answer; without one, no question can be asked.
    """
    texts = []

    def hook(message):
        content = message["content"]
        texts.append(content.get("text") or content.get("evalue") or "")

    asked = {"allow_stdin": answer is not None, "stdin_hook": lambda _: client.input(answer)}
    client.execute_interactive(code, output_hook=hook, timeout=120, **asked)
    return "".join(texts).strip()


@contextmanager
def kernel_outside_servers(folder, named):
    """Start a kernel that no server knows; yield its client."""
    environment = {"JUPYTER_RUNTIME_DIR": str(folder), "JPY_SESSION_NAME": named}
    manager, client = start_new_kernel(env={**os.environ, **environment}, startup_timeout=120)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    client.context.term()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Return the client of a kernel whose file nothing names."""
    with kernel_outside_servers(tmp_path_factory.mktemp("kernel"), "some-uuid") as client:
        yield client


@pytest.fixture
def plain(tmp_path):
    """Return the path of a notebook."""
    path = tmp_path / "plain.ipynb"
    path.write_text("{}")
    return path


@pytest.mark.parametrize("name", ["plain.ipynb", "unter ordner/nötebook.ipynb"])
def test_calling_notebook_is_read_from_server(server, name):
    """The session of the kernel names the notebook, wherever it lies below the server's folder."""
    kernel = server.open(name)["kernel"]["id"]
    assert server.run_in(kernel, FIND) == str(server.root / name)


def test_calling_notebook_follows_renaming(server):
    """The name that counts is today's, not that of the kernel's start."""
    session = server.open("old.ipynb")
    (server.root / "old.ipynb").rename(server.root / "new.ipynb")
    server.call("PATCH", f"api/sessions/{session['id']}", {"path": "new.ipynb"})
    assert server.run_in(session["kernel"]["id"], FIND) == str(server.root / "new.ipynb")


def test_calling_notebook_is_found_by_kernel(server):
    """Two notebooks on one server are distinguished by their kernels."""
    first, second = server.open("first.ipynb"), server.open("second.ipynb")
    assert server.run_in(second["kernel"]["id"], FIND) == str(server.root / "second.ipynb")
    assert server.run_in(first["kernel"]["id"], FIND) == str(server.root / "first.ipynb")


CELLS = """
from pathlib import Path
from openpai.notebook.formats.nbformat4 import load_notebook
from openpai.notebook.source.find_notebook import running_cells
file = Path('work.ipynb')
"""


def test_running_cells_finds_cell(kernel, make_notebook):
    """The cell with the source that runs is known by its index; others are not it."""
    ask = CELLS + f"import os; os.chdir({str(make_notebook().parent)!r})\n"
    ask += "print(running_cells(load_notebook(file), file))"
    make_notebook("x = 1", ask, "y = 2")
    assert executed(kernel, ask) == "[1]"


def test_running_cells_refuses_unsaved_cell(kernel, make_notebook):
    """A cell that is not in the file as it runs was not saved."""
    ask = CELLS + f"import os; os.chdir({str(make_notebook().parent)!r})\n"
    ask += "print(running_cells(load_notebook(file), file))"
    make_notebook("x = 1", ask + "  # as it was before")
    assert "Save the notebook" in executed(kernel, ask)


def test_calling_notebook_is_read_from_vs_code(kernel, plain):
    """The variable that VS Code sets in its kernels names the file."""
    code = f"__vsc_ipynb_file__ = {str(plain)!r}\n{FIND}\ndel __vsc_ipynb_file__"
    assert executed(kernel, code) == str(plain)


def test_calling_notebook_is_read_from_environment(tmp_path, plain):
    """Without a server that answers, the values that the kernel got at its start count."""
    with kernel_outside_servers(tmp_path / "runtime", str(plain)) as client:
        assert executed(client, FIND) == str(plain)


def test_calling_notebook_asks_user(kernel, plain):
    """A kernel that nothing is known of asks for the file, and takes no name that is none."""
    assert executed(kernel, FIND, answer=str(plain)) == str(plain)
    assert "cannot be found out" in executed(kernel, FIND, answer="gone.ipynb")
    assert "cannot be found out" in executed(kernel, FIND, answer="")


def test_calling_notebook_fails_where_it_cannot_ask(kernel):
    """Where a cell cannot ask, an error says what to write."""
    assert "Name it: submit_notebook('NAME.ipynb')" in executed(kernel, FIND)


def test_calling_notebook_is_read_from_classic_server(server):
    """The server of Notebook 6 and older leaves files of another name and another key."""
    kernel = server.open("classic.ipynb")["kernel"]["id"]
    text = server.file.read_text()
    facts = json.loads(text)
    facts["notebook_dir"] = facts.pop("root_dir")
    classic = server.file.with_name("nbserver-1.json")
    classic.write_text(json.dumps(facts))
    server.file.unlink()
    try:
        assert server.run_in(kernel, FIND) == str(server.root / "classic.ipynb")
    finally:
        classic.unlink()
        server.file.write_text(text)


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
OWN = "from openpai.notebook.api import _calling_notebook; print(_calling_notebook())"


def test_calling_notebook_is_read_from_colab(tmp_path):
    """In a kernel like Colab's the page is asked; what it does not tell gets a sentence."""
    cells = [{"cell_type": "code", "source": ["1\n", "2"]}, {"cell_type": "code", "source": OWN}]
    page = {"nbformat": 4, "metadata": {"colab": {"name": "Mine.ipynb"}}, "cells": cells}
    with kernel_outside_servers(tmp_path / "runtime", "some-uuid") as client:
        executed(client, f"import os; os.chdir({str(tmp_path)!r})\n{COLAB}")
        executed(client, f"PAGE = json.loads({json.dumps({'ipynb': page})!r})")
        reported = executed(client, OWN)
        assert reported.startswith(f"(PosixPath('{tmp_path}/Mine.ipynb'), {{")
        assert reported.endswith(", [1])")
        executed(client, "PAGE = None")
        assert "Colab does not hand over this notebook (TypeError)." in executed(client, OWN)


def test_calling_notebook_refuses_script():
    """A script has no notebook of its own."""
    with pytest.raises(NotebookError, match="does not run in a notebook"):
        calling_notebook()
