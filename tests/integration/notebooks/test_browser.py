"""A real Jupyter in a real browser: submit, watch, open what came back; work in a job by hand.

The pictures go to ``tests/pictures`` (git knows them not), or where OPENPAI_PICTURES says:
``hatch run test:pictures`` regenerates those of the documentation.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from support.wait import wait_until

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
pytest.importorskip("jupyterlab", reason="jupyterlab is not installed here")

pytestmark = pytest.mark.timeout(600)

#: Read now, as tests take such settings out of the environment.
PICTURES = os.environ.get("OPENPAI_PICTURES") or "tests/pictures"

#: Without a display, and without looking for hosts of the internet.
CHROMIUM_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
#: Jupyter Lab asks each new user whether to fetch news; this user has answered.
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'

SUBMIT = (
    "from openpai.notebook import submit_notebook\n\n"
    "job = submit_notebook(image='none', cpu=1, memory=512, wait=True)"
)
PLOT = (
    "import matplotlib.pyplot as plt\n\n"
    "plt.figure(figsize=(4, 1.5))\n"
    "plt.bar(range(10), [x * x for x in range(10)]);"
)
#: Whether a kernel of this server is idle, and a page connected to it.
CONNECTED = """async () => {
    const facts = JSON.parse(document.getElementById("jupyter-config-data").textContent)
    const answer = await fetch(facts.baseUrl + "api/sessions")
    const kernels = (await answer.json()).map(session => session.kernel)
    return kernels.some(kernel => kernel.connections && kernel.execution_state == "idle")
}"""
FRONT_ENDS = {"lab": ("jupyterlab", "lab/tree"), "notebook": ("notebook", "notebooks")}


@pytest.fixture
def serve(known_cluster, tmp_path):
    """Run a Jupyter front end in a folder; return what tells the address of a notebook there."""
    started: list[subprocess.Popen[bytes]] = []
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(NO_NEWS)
    runtime = tmp_path / "runtime"
    places = {
        "HOME": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def serve(front_end: str = "lab"):
        module, page = FRONT_ENDS[front_end]
        pytest.importorskip(module, reason=f"{module} is not installed here")
        command = [sys.executable, "-m", module, "--no-browser", "--allow-root", "--port=0"]
        command += ["--ip=127.0.0.1", f"--ServerApp.root_dir={tmp_path / 'notebooks'}"]
        log = tmp_path / "server.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, env={**os.environ, **places}, stdout=file, stderr=file
            )
        started.append(process)

        def answering() -> dict | None:
            assert process.poll() is None, log.read_text()
            with suppress(ValueError):  # its file is empty at first
                for file in runtime.glob("jpserver-*.json"):
                    return json.loads(file.read_text())
            return None

        facts = wait_until(answering, "the server runs", timeout=300, show=log.read_text)
        return lambda name: f"{facts['url']}{page}/{name}?token={facts['token']}"

    yield serve
    for process in started:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:  # Jupyter waits for a kernel that does not end
            process.kill()
            process.wait()


@pytest.fixture
def write(tmp_path):
    """Write a notebook of these cells into the folder of the front end."""
    from nbformat import v4

    folder = tmp_path / "notebooks"
    folder.mkdir()

    def write(name: str, *cells: str) -> Path:
        python = {"name": "python3", "display_name": "Python 3", "language": "python"}
        made = [v4.new_code_cell(cell) for cell in cells]
        nbformat.write(v4.new_notebook(cells=made, metadata={"kernelspec": python}), folder / name)
        return folder / name

    return write


@pytest.fixture
def page(needs):
    """Return a page of a headless Chromium."""
    chromium = needs("chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1000, "height": 860})
        page.set_default_timeout(120_000)
        # Where a cell is run before the kernel is there, Lab asks for one; it proposes the right.
        asked = page.locator(".jp-Dialog .jp-mod-accept")
        page.add_locator_handler(asked, asked.click)
        yield page
        browser.close()


@pytest.fixture
def picture(root, page):
    """Keep a picture of the page."""

    def take(name: str, height: int = 860) -> None:
        file = root / PICTURES / name
        page.screenshot(path=file, clip={"x": 0, "y": 0, "width": 1000, "height": height})
        assert file.stat().st_size > 10_000

    return take


def open_notebook(page, address: str) -> None:
    """Open a notebook and wait until its kernel listens to this page."""
    page.goto(address)
    name = unquote(urlsplit(address).path.rpartition("/")[2])
    page.wait_for_function("name => document.title.includes(name)", arg=name.removesuffix(".ipynb"))
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").first.wait_for()
    page.wait_for_function(CONNECTED, polling=300)  # it asks the server each time


def run_cells(page, numbers: range) -> None:
    """Run cells one by one, as a user does by the keyboard: once more where nothing came of it."""
    for number in numbers:
        cell = page.locator(".jp-CodeCell").nth(number)
        while not re.fullmatch(r"\[\d+\]:", prompt := prompt_of(cell)):
            if prompt == "[ ]:":
                cell.locator(".cm-content").click()
                page.keyboard.press("Shift+Enter")
            page.wait_for_timeout(500)


def prompt_of(cell) -> str:
    """Return ``[1]:`` of a cell that has run, ``[*]:`` of one that runs, else ``[ ]:``."""
    return cell.locator(".jp-InputPrompt").inner_text().strip()


def output(page, text: str):
    """Return what a cell shows that holds this text."""
    return page.locator(".jp-OutputArea-output", has_text=text).first


def test_jupyter_lab_submits_watches_and_opens_result(serve, write, page, picture):
    """The live view reaches SUCCEEDED and stays; the notebook that came back opens."""
    path = write("own.ipynb", "print('first cell')", PLOT, SUBMIT, "job.fetch()")
    address = serve("lab")
    open_notebook(page, address("own.ipynb"))
    page.keyboard.press("Control+b")  # more room for the notebook
    page.set_viewport_size({"width": 1000, "height": 1060})
    run_cells(page, range(4))
    page.locator(".jp-OutputArea-output b:has-text('SUCCEEDED')").first.wait_for()
    output(page, ".ipynb')").wait_for()
    page.locator(".jp-CodeCell").first.scroll_into_view_if_needed()
    picture("live-view.png", height=1030)
    page.keyboard.press("Control+s")
    wait_until(lambda: "SUCCEEDED" in path.read_text(), "the notebook is saved")
    page.reload()
    page.locator(".jp-OutputArea-output b:has-text('SUCCEEDED')").first.wait_for()
    [back] = {file.name for file in path.parent.glob("own_*.ipynb")}
    open_notebook(page, address(back) + "&reset")  # without the notebook that is open
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    output(shown, "first cell").wait_for()
    shown.locator(".jp-OutputArea-output img").first.wait_for()
    assert not shown.locator("b:has-text('SUCCEEDED')").count(), "the calling cell has run"
    picture("executed.png", height=560)


def test_notebook_7_submits_itself(serve, write, page, picture):
    """The successor of the classic front end finds the file and shows the live view as well."""
    write("ünter 1.ipynb", "print('first cell')", SUBMIT)
    open_notebook(page, serve("notebook")("ünter 1.ipynb"))
    run_cells(page, range(2))
    page.locator(".jp-OutputArea-output b:has-text('SUCCEEDED')").first.wait_for()
    picture("notebook-7.png", height=720)


def test_jupyter_lab_refuses_unsaved_notebook(serve, write, page):
    """A cell that was typed and not saved gets a sentence; saved, it is submitted."""
    write("own.ipynb", "print('first cell')", "pass")
    open_notebook(page, serve("lab")("own.ipynb"))
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Control+a")
    page.keyboard.type("import openpai.notebook as n; j = n.submit_notebook(image='none', cpu=1)")
    run_cells(page, range(1, 2))
    output(page, "Save the notebook (Ctrl+S)").wait_for()


def test_interactive_job_runs_cell_in_browser(submit, cluster, page, picture):
    """The address of an interactive job opens the notebook, and a cell runs in it."""
    job = submit("import os\n\nprint(6 * 7, os.environ['PAI_JOB_NAME'])", mode="interactive")
    url = job.server_url(timeout=300)
    open_notebook(page, url.replace("/?", "/lab/tree/work.ipynb?"))
    run_cells(page, range(1))
    output(page, f"42 {job.key}").wait_for()
    picture("interactive.png", height=420)
    job.stop()
    job.wait(timeout=300)


def test_examples_run_in_jupyter_lab(serve, write, root, tmp_path, page, picture):
    """The sweep and the cell on a GPU run from their first cell to their last, as they are."""
    for example in (root / "examples" / "notebooks").glob("*.ipynb"):
        shutil.copy(example, tmp_path / "notebooks")
    page.set_viewport_size({"width": 1000, "height": 1250})
    address = serve("lab")
    open_notebook(page, address("sweep.ipynb"))
    page.keyboard.press("Control+b")
    run_cells(page, range(3))
    page.locator(".jp-OutputArea-output img").first.wait_for()
    assert page.locator("b:has-text('SUCCEEDED')").count() == 6
    page.locator(".jp-MarkdownCell").first.scroll_into_view_if_needed()
    picture("sweep.png", height=1200)
    open_notebook(page, address("gpu-cell.ipynb") + "&reset")
    page.keyboard.press("Control+b")
    run_cells(page, range(4))
    output(page, "'gpus of the job': '0'").wait_for()
    picture("gpu-cell.png", height=1050)
