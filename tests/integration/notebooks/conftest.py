"""A local cluster for notebooks, and ways to submit to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest

from openpai.core import Cluster
from openpai.core.local import LocalCluster
from openpai.notebook import NotebookJob, submit_notebook


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Run a local cluster with two pretended GPUs, whose tasks find the Python of the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        with LocalCluster(tmp_path_factory.mktemp("cluster"), gpus=2) as local:
            yield local


@pytest.fixture
def cluster(running, clean_home):
    """Return the client of that cluster."""
    with Cluster(running.uri, user=running.user, token=running.token) as cluster:
        yield cluster


@pytest.fixture
def known_cluster(running, clean_home):
    """Write that cluster into the user's configuration, as ``opai cluster add`` does."""
    from openpai.core.config.clusters import ClusterEntry, save_cluster

    save_cluster(ClusterEntry("mine", running.uri, running.user, token=running.token))
    return running


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


@pytest.fixture
def printed():
    """Return what each cell of a notebook has printed."""

    def printed(notebook: dict) -> list[str]:
        cells = notebook["cells"]
        return ["".join(o.get("text", "") for o in cell.get("outputs", [])) for cell in cells]

    return printed


@pytest.fixture
def in_kernel(known_cluster, tmp_path, monkeypatch):
    """Run the cells of a notebook file in a real kernel that knows the cluster.

    Returns the outputs of each cell. The kernel knows its file as a Jupyter server tells it.
    """
    from nbclient import NotebookClient
    from nbformat import v4

    path = tmp_path / "own.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))

    def run(*cells: str) -> list[list[dict]]:
        document = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
        nbformat.write(document, path)
        client = NotebookClient(
            document,
            timeout=300,
            allow_errors=True,
            resources={"metadata": {"path": str(tmp_path)}},
        )
        client.execute()
        return [cell.outputs for cell in document.cells]

    return run
