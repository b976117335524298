"""Fixtures of the command line's tests."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from openpai.cli import _plugins


@dataclass(frozen=True)
class Result:
    """What one command line did."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Stdout, read as JSON."""
        return json.loads(self.stdout)


Opai = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of one's own, an empty working folder, and nothing of the environment around."""
    for name in ("OPENPAI_CLUSTER", "OPENPAI_TOKEN", "NO_COLOR", "CI", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    monkeypatch.setenv("OPENPAI_HOME", str(folder))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    _plugins.contributed.cache_clear()
    _plugins.load.cache_clear()
    return folder


@pytest.fixture
def opai(capsys, monkeypatch) -> Opai:
    """Run one command line in this process: ``opai("job", "list", stdin="…")``."""
    from openpai.cli._run import run

    def call(*arguments: object, stdin: str = "") -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call
