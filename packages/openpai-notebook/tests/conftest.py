"""Notebooks to run, and the command that runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

EXECUTE = [sys.executable, "-m", "openpai.notebook.execute"]


def code(source: str, **metadata: object) -> dict:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


@pytest.fixture(scope="session")
def write_notebook():
    """Write a notebook of these cells (texts are code) and return its path."""

    def write(path: Path, *cells: str | dict, metadata: dict | None = None) -> Path:
        python = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Py"}}
        document = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": python if metadata is None else metadata,
            "cells": [code(cell) if isinstance(cell, str) else cell for cell in cells],
        }
        for number, cell in enumerate(document["cells"]):
            cell["id"] = f"cell-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_notebook(write_notebook, tmp_path: Path):
    """Write a notebook of these cells into the test's folder and return its path."""

    def make(*cells: str | dict, name: str = "work.ipynb", metadata: dict | None = None) -> Path:
        return write_notebook(tmp_path / name, *cells, metadata=metadata)

    return make


@pytest.fixture(scope="session")
def run_notebook():
    """Run ``python -m openpai.notebook.execute`` to its end."""

    def run(path: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*EXECUTE, str(path), *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **options,
        )

    return run


class Run:
    """A running ``python -m openpai.notebook.execute``, which writes its log into a file."""

    def __init__(self, command: list[str], log: Path, temporary: str) -> None:
        self._log = log
        env = {**os.environ, "TMPDIR": temporary}
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=env)

    def log(self) -> str:
        """Return what it has printed."""
        return self._log.read_text()

    def wait(self) -> int:
        """Return its exit code."""
        return self.process.wait(timeout=120)


@pytest.fixture
def start_notebook(tmp_path: Path):
    """Start ``python -m openpai.notebook.execute``; what still runs at the end is killed."""
    started: list[Run] = []

    def start(path: Path, *arguments: str) -> Run:
        command = [*EXECUTE, str(path), *arguments]
        started.append(Run(command, tmp_path / f"run-{len(started)}.log", temporary))
        return started[-1]

    # A short path, as sockets are in it: what is killed leaves its own folder there.
    with TemporaryDirectory() as temporary:
        yield start
        for run in started:
            run.process.kill()
            run.process.wait()


@pytest.fixture(scope="session")
def outputs():
    """Return the outputs of each cell of a notebook file."""

    def read(path: Path) -> list[list[dict]]:
        return [cell.get("outputs", []) for cell in json.loads(path.read_bytes())["cells"]]

    return read
