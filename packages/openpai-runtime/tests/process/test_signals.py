"""Signals reach the command, each of them, and a stop request has an end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from support.wait import wait_until

from openpai.runtime.process.event_loop import FORWARDED

pytestmark = pytest.mark.process

LISTENER = """
import os, signal, sys, time
got = []
for number in map(int, sys.argv[1:]):
    signal.signal(number, lambda n, f: got.append(n))
print("ready", os.getpid(), flush=True)
while not got:
    time.sleep(0.01)
print(got, flush=True)
"""


def listen(task: Any, *numbers: int) -> Any:
    """Start a command that prints the first signals it gets, and wait until it listens."""
    process = task.start(sys.executable, "-c", LISTENER, *(str(int(n)) for n in numbers))
    assert process.stdout.readline().startswith("ready")
    return process


@pytest.mark.parametrize("number", sorted(FORWARDED))
def test_signals_reach_command(task: Any, finish: Callable[..., Any], number: int) -> None:
    """A signal for the runtime is one for the command."""
    process = listen(task, number)
    os.kill(process.pid, number)
    done = finish(process)
    assert (done.returncode, done.stdout) == (0, f"[{int(number)}]\n")


def test_signals_reach_process_group(task: Any, finish: Callable[..., Any]) -> None:
    """A program that a shell waits for hears of it too."""
    process = task.start(
        "bash",
        "-c",
        'bash -c \'trap "echo inner; exit 5" TERM; echo ready; '
        "while :; do sleep 0.05; done'; echo outer",
    )
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert "inner" in finish(process).stdout


def test_stopped_command_may_exit_0(task: Any, finish: Callable[..., Any]) -> None:
    """The command's own exit code counts, also after SIGTERM."""
    process = task.start(
        "bash", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    )
    process.stdout.readline()
    process.terminate()
    assert finish(process).returncode == 0


@pytest.mark.parametrize("grace", [0.6, 6])
def test_command_ignoring_sigterm_is_killed(
    task: Any, finish: Callable[..., Any], grace: float
) -> None:
    """After two thirds of the grace period it is killed, and its outputs are saved."""
    task.section(gracePeriod=grace, outputs=[{"path": "a"}])
    process = task.start(
        "bash", "-c", "echo x >a; trap '' TERM; echo ready; while :; do sleep 0.05; done"
    )
    process.stdout.readline()
    process.terminate()
    done = finish(process)
    assert done.returncode == 128 + signal.SIGKILL
    assert "killed" in done.stderr
    if grace > 1:  # in a fifth of a second a busy machine saves nothing
        assert (task.output / "a").read_text() == "x\n"
        assert task.manifest["event"] == "stop"


def test_command_dies_with_runtime(task: Any, is_gone: Callable[[int], bool]) -> None:
    """After kill -9 the command does not go on alone."""
    process = task.start(sys.executable, "-c", LISTENER)
    pid = int(process.stdout.readline().split()[1])
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    wait_until(lambda: is_gone(pid))


def test_suspended_command_is_not_ended(task: Any, finish: Callable[..., Any]) -> None:
    """A command that is stopped for a while is not taken for one that has ended."""
    process = task.start("bash", "-c", "echo $$; kill -STOP $$; exit 7")
    pid = int(process.stdout.readline())
    wait_until(lambda: " T " in Path(f"/proc/{pid}/stat").read_text())
    os.kill(pid, signal.SIGCONT)
    assert finish(process).returncode == 7
