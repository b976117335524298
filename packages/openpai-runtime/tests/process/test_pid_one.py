"""The runtime as the first process of a container (a PID namespace)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from support.gate import Gate

from openpai.runtime.process.event_loop import FORWARDED

pytestmark = pytest.mark.process

UNSHARE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture(autouse=True)
def _needs_namespaces() -> None:
    try:
        subprocess.run([*UNSHARE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not make PID namespaces")


def pid_of_runtime(unshare: int) -> int:
    """Return the pid, seen from here, of the first process of the namespace."""
    return int(Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()[0])


@pytest.mark.parametrize("code", [0, 9])
def test_pid_one_exits_with_code_of_command(task: Any, code: int) -> None:
    """PID 1 exits as its command did."""
    assert task.bash(f"exit {code}", before=UNSHARE).returncode == code


def test_pid_one_is_runtime(task: Any) -> None:
    """The command's parent is the first process of the container."""
    assert task.bash("echo $PPID", before=UNSHARE).stdout == "1\n"


def test_pid_one_forwards_sigterm(task: Any, finish: Callable[..., Any]) -> None:
    """The kernel drops signals for a PID 1 that does not handle them; the runtime does."""
    script = "trap 'echo noticed; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    process = task.start("bash", "-c", script, before=UNSHARE)
    process.stdout.readline()
    os.kill(pid_of_runtime(process.pid), signal.SIGTERM)
    done = finish(process)
    assert (done.returncode, done.stdout) == (3, "noticed\n")


def test_pid_one_reaps_orphans(task: Any) -> None:
    """Ended processes that lost their parent do not pile up."""
    count = (
        "import glob\n"
        "def states():\n"
        "    for path in glob.glob('/proc/[0-9]*/stat'):\n"
        "        try: yield open(path).read().rpartition(')')[2].split()[0]\n"
        "        except OSError: pass\n"
        "import os, time\n"
        "alive, end = os.pipe()\n"
        "for _ in range(1000):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        os.fork()\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "os.close(end)\n"
        "os.read(alive, 1)\n"  # until the last of them has ended
        "deadline = time.monotonic() + 50\n"
        "while list(states()).count('Z') and time.monotonic() < deadline: time.sleep(0.01)\n"
        "print(list(states()).count('Z'))\n"
    )
    assert task.run(sys.executable, "-c", count, before=UNSHARE).stdout == "0\n"


def test_pid_one_killed_ends_all_processes(task: Any, finish: Callable[..., Any]) -> None:
    """The kernel ends a PID namespace with its first process."""
    process = task.start("bash", "-c", "setsid sleep 600 & echo ready; wait", before=UNSHARE)
    process.stdout.readline()
    os.kill(pid_of_runtime(process.pid), signal.SIGKILL)
    finish(process)  # ends when no process holds its output open


LISTENER = """
import signal, sys
numbers = list(map(int, sys.argv[1:]))
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("ready", flush=True)
while True:
    number = signal.sigwait(numbers)
    print(int(number), flush=True)
    if number == signal.SIGTERM:
        break
"""


def test_pid_one_forwards_each_signal_once(task: Any, finish: Callable[..., Any]) -> None:
    """Also those that the kernel keeps from a first process without a handler."""
    numbers = [*sorted(FORWARDED - {signal.SIGTERM}), signal.SIGTERM]
    argv = (sys.executable, "-c", LISTENER, *(str(int(number)) for number in numbers))
    process = task.start(*argv, before=UNSHARE)
    assert process.stdout.readline() == "ready\n"
    runtime = pid_of_runtime(process.pid)
    for number in numbers:
        os.kill(runtime, number)
        assert process.stdout.readline() == f"{int(number)}\n"
    done = finish(process)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("grace", "code"), [(1, 137), (6, 137), (120, 3)])
def test_pid_one_keeps_grace_period(
    task: Any, finish: Callable[..., Any], tmp_path: Path, grace: int, code: int
) -> None:
    """A command that takes a while to end has time for it, or is killed so that outputs have."""
    task.section(gracePeriod=grace, outputs=[{"path": "a"}])
    gate = Gate(tmp_path / "go")
    slow = f"trap 'echo noticed; {gate.command}; echo y >a; exit 3' TERM"
    script = f"echo x >a; {slow}; echo ready; while :; do sleep 0.05; done"
    process = task.start("bash", "-c", script, before=UNSHARE)
    process.stdout.readline()
    os.kill(pid_of_runtime(process.pid), signal.SIGTERM)
    if code == 3:
        assert process.stdout.readline() == "noticed\n"
        gate.open()
    assert finish(process).returncode == code
    if grace > 1:  # in a third of a second a busy machine saves nothing
        assert task.manifest["event"] == "stop"
        assert (task.output / "a").read_text() == ("x\n" if code == 137 else "y\n")
