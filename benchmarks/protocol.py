"""How fast the job protocol is, in proportion to its peers, all measured in this one run.

* Load, validate and render each of the 31 jobs of PAI's examples, against the time that PyYAML's
  ``safe_load`` (pure Python) needs to load the same text.
* Validate a job of about 100 KiB with 200 task roles, against jsonschema with the same schema.
* Load that job, against PyYAML with and without its C library.
* Import what reads a job, against starting Python.

Run it with ``python benchmarks/protocol.py``; the exit code is 1 if a ratio misses its goal.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import yaml

from openpai.core.protocol import (
    check_text,
    dump_yaml,
    job_schema,
    load_yaml,
    schema_findings,
    server_verdict,
)

JOBS = Path(__file__).parent.parent / "packages/openpai-core/tests/data/jobs"


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Return the best of some runs: the others were disturbed."""
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1000


def large_job() -> dict[str, object]:
    """Return a job with 200 task roles, about 100 KiB as YAML."""
    role = {
        "instances": 2,
        "completion": {"minFailedInstances": 1, "minSucceededInstances": -1},
        "dockerImage": "image",
        "resourcePerInstance": {"cpu": 4, "memoryMB": 8192, "gpu": 1, "ports": {"web": 2}},
        "commands": [
            "pip install -r requirements.txt --quiet --no-input --disable-pip-version-check",
            "python train.py --lr <% $parameters.lr %> --epochs 90 --batch 64 --data /mnt/data",
            "echo done",
        ],
    }
    return {
        "protocolVersion": 2,
        "name": "large",
        "type": "job",
        "prerequisites": [{"name": "image", "type": "dockerimage", "uri": "openpai/standard:1"}],
        "parameters": {"lr": 0.1},
        "taskRoles": {f"worker{n}": role for n in range(200)},
    }


def start_up(statement: str) -> float:
    """Return the time of a whole Python process."""
    command = [sys.executable, "-c", statement]
    return milliseconds(lambda: subprocess.run(command, check=True), 7)


class Report:
    """Prints ratios, and remembers whether one missed its goal."""

    def __init__(self) -> None:
        self.missed = False

    def line(self, what: str, ours: float, theirs: float, goal: float | None = None) -> None:
        """Print one comparison: our time as a part of the peer's."""
        ratio = ours / theirs
        verdict = ""
        if goal is not None:
            verdict = f"  goal <= {goal:.2f}  {'ok' if ratio <= goal else 'MISSED'}"
            self.missed = self.missed or ratio > goal
        print(f"{what:<64} {ours:9.2f} ms {theirs:9.2f} ms {ratio:6.2f}{verdict}")


def main() -> int:
    """Measure and print; return the exit code."""
    report = Report()
    print(f"{'':<64} {'ours':>12} {'peer':>12} {'ratio':>6}")
    for path in sorted(JOBS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert server_verdict(text).accepted
        ours = milliseconds(lambda text=text: server_verdict(text), 5)
        peer = milliseconds(lambda text=text: yaml.load(text, yaml.SafeLoader), 3)
        report.line(f"load, validate, render {path.stem[:40]}", ours, peer, 1.0)
    document = large_job()
    text = dump_yaml(document)
    print(f"a job of {len(text) / 1024:.0f} KiB with 200 task roles:")
    schema = job_schema()
    validator = jsonschema.Draft7Validator(schema)
    bare = milliseconds(lambda: list(validator.iter_errors(document)), 5)
    report.line(
        "validate, against jsonschema",
        milliseconds(lambda: schema_findings(document, schema), 9),
        bare,
        2.0,
    )
    pure = milliseconds(lambda: yaml.load(text, yaml.SafeLoader), 2)
    loading = milliseconds(lambda: load_yaml(text), 5)
    report.line("load, against PyYAML in Python", loading, pure, 1.0)
    if yaml.__with_libyaml__:
        fast = milliseconds(lambda: yaml.load(text, yaml.CSafeLoader), 5)
        report.line("load, against PyYAML in C", loading, fast)
    report.line("load, validate, render", milliseconds(lambda: server_verdict(text), 5), pure, 1.0)
    report.line("all strict checks with places", milliseconds(lambda: check_text(text), 5), pure)
    bare_start = start_up("pass")
    light = start_up("import openpai.core.protocol.job")
    report.line("import openpai.core.protocol.job, against python -c pass", light, bare_start)
    return int(report.missed)


if __name__ == "__main__":
    sys.exit(main())
