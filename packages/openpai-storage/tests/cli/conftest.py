"""A tree to copy, for the commands that copy trees."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

Opai = Callable[..., Any]


@pytest.fixture
def tree(opai: Opai) -> Path:
    """Put a folder into the working directory."""
    folder = Path("tree").absolute()
    (folder / "d" / "empty").mkdir(parents=True)
    (folder / "d" / "a.txt").write_text("12345")
    (folder / "d" / "b.log").write_text("log")
    (folder / "top").write_text("1")
    return folder
