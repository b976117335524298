"""A notebook is submitted from a real Jupyter Lab in a real browser, and watched there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from openpai.core.config.clusters import ClusterEntry, save_cluster
from openpai.core.local import LocalCluster

pytest.importorskip("jupyterlab", reason="jupyterlab is not installed here")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
#: Where pictures are kept; read now, as tests take such settings out of the environment.
PICTURES = os.environ.get("OPENPAI_PICTURES")
CHROMIUM = shutil.which("chromium", path=f"{os.environ['PATH']}:/usr/bin")

SUBMIT = (
    "from openpai.notebook import submit_notebook, watch\n"
    "job = submit_notebook(image='none', html=False, cpu=1, memory=512)\n"
    "detail = watch(job, poll=0.2)\n"
    "print([c['outputs'][0]['text'] for c in job.notebook()['cells'] if c['outputs']])"
)


@pytest.fixture
def local(clean_home, monkeypatch):
    """Run a local cluster that the user's configuration knows."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    with LocalCluster() as running:
        save_cluster(ClusterEntry("mine", running.uri, running.user, token=running.token))
        yield running


@pytest.fixture
def lab(local, tmp_path):
    """Run Jupyter Lab in a folder with the notebook; return its address with the token."""
    from nbformat import v4

    folder, runtime = tmp_path / "notebooks", tmp_path / "runtime"
    folder.mkdir()
    cells = [v4.new_code_cell(text) for text in ("print('first cell')", SUBMIT)]
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = v4.new_notebook(cells=cells, metadata={"kernelspec": python})
    nbformat.write(document, folder / "own.ipynb")
    places = {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(runtime)}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    with (tmp_path / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--ip=127.0.0.1", f"--ServerApp.root_dir={folder}"],
            env={**os.environ, **places},
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 60
    while not (found := list(runtime.glob("jpserver-*.json"))):
        assert process.poll() is None, (tmp_path / "lab.log").read_text()
        assert time.monotonic() < deadline, "Jupyter Lab did not start within a minute"
        time.sleep(0.1)
    facts = json.loads(found[0].read_text())
    yield f"{facts['url']}lab/tree/own.ipynb?token={facts['token']}"
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture
def page():
    """Return a page of a headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("this machine has no Chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def test_submitted_and_watched_in_jupyter_lab(lab, page, tmp_path):
    """The live view reaches SUCCEEDED, the executed notebook is read back, and all of it stays."""
    page.goto(lab)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
    # Where the kernel was not settled yet, Lab asks for it first.
    asked = page.locator(".jp-Dialog .jp-mod-accept")
    reached = page.locator(".jp-OutputArea-output b:has-text('SUCCEEDED')").first
    asked.or_(reached).first.wait_for(timeout=100_000)
    if asked.count():
        asked.click()
    reached.wait_for(timeout=100_000)
    page.wait_for_selector("text=['first cell", timeout=60_000)
    picture = Path(PICTURES or tmp_path) / "notebook-live-view.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000
    page.keyboard.press("Control+s")
    saved = tmp_path / "notebooks" / "own.ipynb"
    deadline = time.monotonic() + 60
    while "SUCCEEDED" not in saved.read_text():
        assert time.monotonic() < deadline, "the notebook was not saved within a minute"
        time.sleep(0.1)
    page.reload()
    page.wait_for_selector(".jp-OutputArea-output b:has-text('SUCCEEDED')", timeout=60_000)
