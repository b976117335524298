"""Notebooks that are saved while they run, and stopped."""

from __future__ import annotations

import json
import os
import signal

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process

FOREVER = """\
import os, time
try:
    print('begun', flush=True)
    open('pid.part', 'w').write(str(os.getpid()))
    os.rename('pid.part', 'pid')
    while True: time.sleep(0.1)
finally:
    print('cleaned up')
"""

STUBBORN = """\
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print('begun', flush=True)
open('pid.part', 'w').write(str(os.getpid()))
os.rename('pid.part', 'pid')
time.sleep(1000)
"""


def text_of(path):
    """Return what the first cell has printed, as the file has it now."""
    outputs = json.loads(path.read_bytes())["cells"][0]["outputs"]
    return "".join("".join(output.get("text", "")) for output in outputs)


def is_gone(pid):
    """Whether no process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def running_in(path, run):
    """Wait until the cell runs; return the process of its kernel."""
    file = path.parent / "pid"
    wait_until(file.exists, "the cell runs", show=run.log)
    return int(file.read_text())


def test_running_notebook_is_saved_regularly(make_notebook, start_notebook):
    """What a cell has printed so far is in the file before the cell ends."""
    path = make_notebook(FOREVER)
    run = start_notebook(path, "--save-every", "0.1")
    wait_until(lambda: text_of(path) == "begun\n", "the file has the output", show=run.log)
    assert run.process.poll() is None
    assert json.loads(path.read_bytes())["metadata"]["openpai"]["status"] == "running"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stop_signal_saves_notebook(make_notebook, start_notebook, outputs, number, code):
    """The running cell is interrupted as by Jupyter's stop button; its end is in the notebook."""
    path = make_notebook(FOREVER, "print('never')")
    run = start_notebook(path)
    running_in(path, run)
    run.process.send_signal(number)
    assert run.wait() == code
    assert text_of(path) == "begun\ncleaned up\n"
    names = [output.get("ename") for output in outputs(path)[0]]
    assert names[-2:] == ["KeyboardInterrupt", "JobStopped"]
    assert outputs(path)[1] == []
    assert json.loads(path.read_bytes())["metadata"]["openpai"]["status"] == "stopped"
    assert "asked to stop" in run.log()


def test_stop_kills_kernel_that_ignores_interrupt(make_notebook, start_notebook):
    """A cell that ignores the interrupt is ended with its kernel; the notebook is saved."""
    path = make_notebook(STUBBORN)
    run = start_notebook(path)
    kernel = running_in(path, run)
    run.process.terminate()
    assert run.wait() == 143
    assert text_of(path) == "begun\n"
    wait_until(lambda: is_gone(kernel), "the kernel ends")


def test_kernel_ends_after_runner_is_killed(make_notebook, start_notebook):
    """After SIGKILL of what runs the notebook its kernel ends by itself."""
    path = make_notebook(FOREVER)
    run = start_notebook(path, "--save-every", "0.1")
    kernel = running_in(path, run)
    wait_until(lambda: text_of(path) == "begun\n", "the file has the output", show=run.log)
    run.process.kill()
    run.wait()
    wait_until(lambda: is_gone(kernel), "the kernel ends")
    assert text_of(path) == "begun\n"


def test_stop_while_kernel_starts_ends_run(make_notebook, start_notebook):
    """A signal at the very beginning ends the run as well."""
    path = make_notebook(FOREVER)
    run = start_notebook(path, "--save-every", "0.01")
    started = "openpai"
    wait_until(lambda: started in json.loads(path.read_bytes())["metadata"], show=run.log)
    run.process.terminate()
    assert run.wait() == 143
