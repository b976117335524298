"""The main job with everything that the runtime does around its commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.wait import wait_until

CALLBACKS = [
    {"on": "start", "commands": ["echo start >>ticks"]},
    {"on": "interval", "every": 0.3, "commands": ["echo tick >>ticks"]},
    {"on": "stop", "signals": ["SIGTERM"], "commands": ["echo stop >>ticks"]},
    {"on": "failure", "commands": ["echo failure >>ticks"]},
    {"on": "exit", "commands": ["echo ended with $OPENPAI_EXIT_CODE"]},
]


@pytest.fixture
def digits(root, opai):
    """A local cluster, and what writes the main job, with callbacks, into the working folder."""
    opai("local", "up", "--cpus", "4")
    document = yaml.safe_load((root / "examples/digits/job.yaml").read_text())
    (opai.folder / "train.py").write_bytes((root / "examples/digits/train.py").read_bytes())

    def write(epochs: int) -> None:
        document["parameters"]["epochs"] = epochs
        section = document["extras"]["openpai.runtime"]
        section["outputs"].append({"path": "ticks", "every": 0.3, "taskRoles": ["master"]})
        section["callbacks"] = [{**one, "taskRoles": ["master"]} for one in CALLBACKS]
        section["waitForPeers"] = "60s"
        (opai.folder / "job.yaml").write_text(yaml.safe_dump(document))

    return write


def test_stopped_job_saves_outputs(opai, digits):
    """Saved at an interval while it trains, and once more when SIGTERM has ended it."""
    digits(epochs=100_000_000)
    opai("job", "submit", "--config", "job.yaml", "--src", "train.py")

    def ticks() -> str:
        return opai("output", "peek", "digits", "master/0/ticks", code=None).stdout

    def log() -> str:
        return opai("job", "logs", "digits", code=None).stdout

    wait_until(lambda: "tick" in ticks(), "an output is saved", timeout=180, show=log)
    assert opai("job", "list", "-o", "json").stdout.count("RUNNING") == 1
    opai("job", "stop", "digits")
    assert opai("job", "wait", "digits", code=None).returncode == 143
    opai("output", "download", "digits", "--to", "got")
    reported = Path(opai.folder, "got/master/0/ticks").read_text().split()
    assert reported[0] == "start"
    assert "stop" in reported
    assert reported[-1] == "failure"
    record = json.loads(opai("output", "peek", "digits", ".openpai/master-0.json").stdout)
    assert (record["event"], record["complete"]) == ("stop", True)
    assert [file["path"] for file in record["files"]] == ["master/0/ticks"]
    assert "ended with 143" in opai("job", "logs", "digits").stdout
