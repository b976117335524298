"""`opai job sweep`, and what it sends."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

FILE = """\
protocolVersion: 2
name: NAME
type: job
parameters: {lr: 0.5, batch: 1}
prerequisites:
  - {name: image, type: dockerimage, uri: img}
taskRoles:
  main:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands:
      - echo '{"acc":' <% $parameters.lr %>'}' > metrics.json
      - exit <% $parameters.batch %>
"""


@pytest.fixture
def name():
    """A name that no other test has; `job.yaml` holds a job of that name."""
    made = f"sweep_{secrets.token_hex(4)}"
    Path("job.yaml").write_text(FILE.replace("NAME", made))
    return made


SWEEP = ("job", "sweep", "job.yaml", "-p", "lr=0.1,0.2", "-p", "batch=0,3")


def test_sweep_dry_run_lists_jobs(opai, name):
    """--dry-run names every job, needs no cluster, and sends nothing."""
    result = opai(*SWEEP, "--dry-run", "-o", "json")
    assert result.exit_code == 0
    assert [(row["job"], row["status"]) for row in result.json] == [
        (f"{name}_lr-0p1_batch-0", "not sent"),
        (f"{name}_lr-0p1_batch-3", "not sent"),
        (f"{name}_lr-0p2_batch-0", "not sent"),
        (f"{name}_lr-0p2_batch-3", "not sent"),
    ]
    assert "4 jobs" in result.stderr


@pytest.mark.process
def test_sweep_submit_and_results(opai, local, name):
    """Every set of parameters is a job; the results have parameters, ends and saved metrics."""
    sent = opai(*SWEEP, "--output", "metrics.json", "--tag", name, "-o", "json")
    assert sent.exit_code == 0, sent.stderr
    assert {row["status"] for row in sent.json} == {"submitted"}
    opai("job", "wait", *(row["job"] for row in sent.json))
    found = opai("job", "results", "--tag", name, "--metric", "metrics.json:acc", "-o", "json").json
    assert [(row["parameters"], row["exitCode"], row["metrics"]) for row in found] == [
        ({"lr": 0.1, "batch": 0}, 0, {"acc": 0.1}),
        ({"lr": 0.1, "batch": 3}, 3, {"acc": 0.1}),
        ({"lr": 0.2, "batch": 0}, 0, {"acc": 0.2}),
        ({"lr": 0.2, "batch": 3}, 3, {"acc": 0.2}),
    ]


@pytest.mark.process
def test_sweep_results_have_parameter_columns(opai, local, name):
    """In a table parameters and metrics stand side by side; a metric that is missing is a dash."""
    sent = opai("job", "sweep", "job.yaml", "-p", "batch=0", "-o", "name")
    opai("job", "wait", sent.stdout.strip())
    header, row = opai(
        "job", "results", "--prefix", name, "--metric", "m.json:x"
    ).stdout.splitlines()
    assert header.split() == ["NAME", "STATE", "EXIT", "CODE", "lr", "batch", "x", "DURATION"]
    assert row.split()[2:6] == ["0", "0.5", "0", "-"]


@pytest.mark.process
def test_sweep_submitted_twice_creates_no_duplicates(opai, local, name):
    """Existing jobs are reported as such; only missing jobs are sent."""
    opai("job", "sweep", "job.yaml", "-p", "batch=0")
    again = opai("job", "sweep", "job.yaml", "-p", "batch=0,1", "-o", "json")
    assert [row["status"] for row in again.json] == ["existed", "submitted"]


def test_sweep_zip_and_random_parameters(opai, name):
    """--zip pairs the values; --random draws the same sets for the same seed."""
    assert len(opai(*SWEEP, "--zip", "--dry-run", "-o", "json").json) == 2
    drawn = (*SWEEP, "--random", 3, "--seed", 7, "--dry-run", "-o", "json")
    assert len(opai(*drawn).json) == 3
    assert opai(*drawn).json == opai(*drawn).json


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-p", "lr"], 2, "NAME=VALUE"),
        (["-p", "nothing=1,2"], 1, "nothing"),
        (["-p", "lr=1,2", "-p", "batch=1", "--zip"], 1, "equally long"),
        (["-p", "lr=1", "--zip", "--random", "2"], 2, "--random"),
        ([], 2, "--param"),
    ],
)
def test_sweep_refuses_invalid_parameters(opai, local, name, arguments, code, said):
    """Nothing is submitted where the parameters make no sense."""
    result = opai("job", "sweep", "job.yaml", *arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert opai("job", "list", "--keyword", name, "-o", "json").json == []
