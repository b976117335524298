"""Notebooks that are saved while they run, and stopped."""

from __future__ import annotations

import json
import os
import signal

import pytest

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


def test_it_is_saved_while_it_runs(make_notebook, start_notebook, until):
    """What a cell has printed so far is in the file before the cell ends."""
    path = make_notebook(FOREVER)
    process = start_notebook(path, "--save-every", "0.1")
    until(lambda: text_of(path) == "begun\n")
    assert process.poll() is None
    assert json.loads(path.read_bytes())["metadata"]["openpai"]["status"] == "running"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_saves_the_notebook(make_notebook, start_notebook, until, outputs, number, code):
    """The running cell is interrupted as by Jupyter's stop button; its end is in the notebook."""
    path = make_notebook(FOREVER, "print('never')")
    process = start_notebook(path)
    until((path.parent / "pid").exists)
    process.send_signal(number)
    log, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert text_of(path) == "begun\ncleaned up\n"
    names = [output.get("ename") for output in outputs(path)[0]]
    assert names[-2:] == ["KeyboardInterrupt", "JobStopped"]
    assert outputs(path)[1] == []
    assert json.loads(path.read_bytes())["metadata"]["openpai"]["status"] == "stopped"
    assert "asked to stop" in log


def test_a_cell_that_will_not_end(make_notebook, start_notebook, until):
    """A cell that ignores the interrupt is ended with its kernel; the notebook is saved."""
    path = make_notebook(STUBBORN)
    process = start_notebook(path)
    until((path.parent / "pid").exists)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert text_of(path) == "begun\n"
    pid = int((path.parent / "pid").read_text())
    until(lambda: is_gone(pid))


def test_a_kernel_does_not_outlive_a_killed_runner(make_notebook, start_notebook, until):
    """After SIGKILL of what runs the notebook its kernel ends by itself."""
    path = make_notebook(FOREVER)
    process = start_notebook(path, "--save-every", "0.1")
    until(lambda: (path.parent / "pid").exists() and text_of(path) == "begun\n")
    process.kill()
    process.communicate()
    pid = int((path.parent / "pid").read_text())
    until(lambda: is_gone(pid))
    assert text_of(path) == "begun\n"


def test_a_stop_while_the_kernel_starts(make_notebook, start_notebook, until):
    """A signal at the very beginning ends the run as well."""
    path = make_notebook("print(1)")
    process = start_notebook(path, "--save-every", "0.01")
    until(lambda: "openpai" in json.loads(path.read_bytes())["metadata"])
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode in (143, 0)
