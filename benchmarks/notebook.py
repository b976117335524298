"""What it costs to run a notebook as a job instead of by `jupyter nbconvert --execute`.

The same file of five code cells, on an idle local cluster of its own; the ways take turns, so that
whatever else the machine does hits all of them.

    python benchmarks/notebook.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from openpai.core import Cluster
from openpai.notebook import submit_notebook

CELLS = (
    "import json, math",
    "numbers = [math.sqrt(n) for n in range(10_000)]",
    "print(sum(numbers))",
    "json.dumps(numbers)[:100]",
    "max(numbers)",
)


def write_notebook(path: Path) -> None:
    """Write the notebook."""
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [{**empty, "id": f"c{n}", "source": cell} for n, cell in enumerate(CELLS)],
    }
    path.write_text(json.dumps(document), encoding="utf-8")


def as_job(cluster: Cluster, path: Path, *, html: bool) -> None:
    """Submit it, wait, and read the executed notebook (and its page)."""
    job = submit_notebook(path, cluster=cluster, image="none", html=html, cpu=1, memory=512)
    assert job is not None
    assert job.wait(timeout=120).state == "SUCCEEDED"
    assert job.notebook()["metadata"]["openpai"]["status"] == "succeeded"
    assert not html or "<html" in job.html()


def run(*words: str) -> None:
    """Run a program to its end."""
    subprocess.run(words, check=True, capture_output=True)


def ways(cluster: Cluster, path: Path, programs: Path) -> dict[str, Callable[[], None]]:
    """Return what is compared, the yardstick of each group first."""
    convert = [str(programs / "jupyter"), "nbconvert", "--execute", "--output", "done"]
    opai = [str(programs / "opai"), "notebook", "submit", str(path), "-i", "none"]
    to = ["--to", str(path.parent)]
    copy = path.with_name("copy.ipynb")
    shutil.copy(path, copy)
    python = sys.executable
    return {
        "jupyter nbconvert --to notebook": lambda: run(*convert, "--to", "notebook", str(path)),
        "python -m openpai.notebook.execute": lambda: run(
            python, "-m", "openpai.notebook.execute", str(copy)
        ),
        "a job, from Python": lambda: as_job(cluster, path, html=False),
        "opai notebook submit": lambda: run(*opai, "--no-html", *to),
        "jupyter nbconvert --to html": lambda: run(*convert, "--to", "html", str(path)),
        "a job with a page, from Python": lambda: as_job(cluster, path, html=True),
    }


def measure(rounds: int, folder: Path) -> dict[str, list[float]]:
    """Return the seconds of each way in each round."""
    programs = Path(sys.executable).parent
    os.environ["OPENPAI_HOME"] = str(folder / "home")
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    path = folder / "five.ipynb"
    write_notebook(path)
    run(str(programs / "opai"), "local", "up")
    try:
        with Cluster.load("local") as cluster:
            table = ways(cluster, path, programs)
            times: dict[str, list[float]] = {name: [] for name in table}
            for number in range(rounds + 1):
                for name, call in table.items():
                    began = time.perf_counter()
                    call()
                    if number:  # the first round warms the caches
                        times[name].append(time.perf_counter() - began)
    finally:
        run(str(programs / "opai"), "local", "down", "--stop-jobs")
    return times


def main() -> None:
    """Measure and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        times = measure(rounds, Path(folder))
    yardstick = 1.0
    print(f"median seconds of {rounds} rounds, and what they are of nbconvert's above them")
    for name, values in times.items():
        middle = statistics.median(values)
        if name.startswith("jupyter"):
            yardstick = middle
        print(
            f"{name:36} {middle:6.2f} ({min(values):.2f}-{max(values):.2f})  "
            f"{middle / yardstick:.2f}"
        )


if __name__ == "__main__":
    main()
