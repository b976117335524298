"""The README's example runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

README = Path(__file__).parents[1] / "README.md"


def test_readme_example_runs(tmp_path: Path) -> None:
    """The Python block runs in an empty folder and copies there and back."""
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    code = found.group(1)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "/greetings/hello.txt" in done.stdout
    assert (tmp_path / "copy" / "hello.txt").read_text() == "hello"
