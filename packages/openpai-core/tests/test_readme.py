"""What the README shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


def test_readme_example_runs():
    """A job on a cluster of its own, its log, its state."""
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    hello, state = shown.stdout.splitlines()
    assert re.fullmatch(r"hello from .+~hello", hello)
    assert state == "SUCCEEDED"
