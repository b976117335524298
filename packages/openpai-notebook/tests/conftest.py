"""Notebooks to run, and the command that runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest


def code(source: str, **metadata: object) -> dict:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


@pytest.fixture
def make_notebook(tmp_path: Path):
    """Write a notebook of these cells (texts are code) and return its path."""

    def make(*cells: str | dict, name: str = "work.ipynb", metadata: dict | None = None) -> Path:
        python = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Py"}}
        document = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": python if metadata is None else metadata,
            "cells": [code(cell) if isinstance(cell, str) else cell for cell in cells],
        }
        for number, cell in enumerate(document["cells"]):
            cell["id"] = f"cell-{number}"
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return make


@pytest.fixture
def run_notebook():
    """Run ``python -m openpai.notebook.execute`` to its end."""

    def run(path: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "openpai.notebook.execute", str(path), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )

    return run


@pytest.fixture
def start_notebook():
    """Start ``python -m openpai.notebook.execute``; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(path: Path, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "openpai.notebook.execute", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        if process.stdout and not process.stdout.closed:
            process.communicate()


@pytest.fixture
def until():
    """Wait until a condition holds, at most a minute."""

    def wait(condition) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within a minute"
            time.sleep(0.05)

    return wait


@pytest.fixture
def outputs():
    """Return the outputs of each cell of a notebook file."""

    def read(path: Path) -> list[list[dict]]:
        return [cell.get("outputs", []) for cell in json.loads(path.read_bytes())["cells"]]

    return read
