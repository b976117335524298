"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest


def blocks(root, language: str) -> list[str]:
    """The README's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)


@pytest.mark.usefixtures("local_cluster")
def test_python_example_runs(root):
    """Three jobs from a for-loop, each with its result."""
    (code,) = blocks(root, "python")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == [
        "square-1 SUCCEEDED 1",
        "square-3 SUCCEEDED 9",
        "square-10 SUCCEEDED 100",
    ]


def test_first_commands_run(root, opai):
    """From nothing to a list with one job (the package is installed already)."""
    commands = [
        shlex.split(line, comments=True)
        for line in blocks(root, "sh")[0].splitlines()
        if not line.startswith("pip ")
    ]
    assert [words[0] for words in commands] == ["opai", "opai", "opai"]
    *_, listed = [opai(*words[1:]) for words in commands]
    assert len(listed.stdout.splitlines()) == 2  # the header and the job


def test_ci_runs_second_command(root):
    """The README and CI cannot drift apart."""
    script = (root / ".ci" / "run").read_text()
    assert "README.md" in script
    assert "hatch run test:all" in (root / "README.md").read_text()
