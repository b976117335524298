"""Why a kernel is gone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openpai.notebook.execute.kernel_exit import exit_reason, exit_status

CASES = [
    (None, False, "for an unknown reason", 1),
    (0, False, "ended by itself, with exit code 0", 1),
    (3, False, "ended by itself, with exit code 3", 3),
    (-9, True, "memory limit was reached", 1),
    (-9, False, "most often a sign that memory ran out", 1),
    (-11, False, "killed by SIGSEGV", 1),
    (-200, False, "killed by signal 200", 1),
    (137, False, "with exit code 137", 1),
]


@pytest.mark.parametrize(("status", "memory", "words", "code"), CASES)
def test_death_gives_reason_and_exit_code(status, memory, words, code):
    """The sentence says what is known; the exit code is none for which PAI retries without end."""
    message, exit_code = exit_reason(status, memory)
    assert words in message
    assert exit_code == code


@pytest.mark.process
def test_exit_status_of_killed_process_is_negative_signal():
    """A signal is negative, as Popen has it; no process has no status."""
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert exit_status(subprocess.Popen([sys.executable, "-c", script])) == -9
    assert exit_status(None) is None
