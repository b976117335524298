"""`opai sweep …`: many jobs listed, waited for, stopped, run again, collected."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.gate import Gate
from support.wait import wait_until

FILE = """\
protocolVersion: 2
name: NAME
type: job
parameters: {lr: 0.5, code: 0}
prerequisites:
  - {name: image, type: dockerimage, uri: img}
taskRoles:
  main:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands:
      - echo 'loss:' <% $parameters.lr %>
      - echo '{"val":{"acc":' <% $parameters.lr %>'}}' > metrics.json
      - exit <% $parameters.code %>
"""


@pytest.fixture
def name(local):
    """A name that no other test has; `job.yaml` holds a job of that name."""
    made = f"sweep_{secrets.token_hex(4)}"
    Path("job.yaml").write_text(FILE.replace("NAME", made))
    return made


@pytest.fixture
def ended(opai, name):
    """The name of a sweep of four jobs that have ended, two of them badly."""
    axes = ("-p", "lr=0.1,0.001", "-p", "code=0,3")
    sent = opai("job", "sweep", "job.yaml", *axes, "--output", "metrics.json")
    assert sent.exit_code == 0, sent.stderr
    assert opai("sweep", "wait", name, "--timeout", "120").exit_code == 3
    return name


@pytest.mark.process
def test_sweep_list_shows_counts(opai, ended):
    """One line for each sweep says how far it is."""
    rows = {row["sweep"]: row for row in opai("sweep", "list", "-o", "json").json}
    row = rows[ended]
    assert (row["jobs"], row["succeeded"], row["failed"], row["notSent"]) == (4, 2, 2, 0)


@pytest.mark.process
def test_sweep_status_lists_jobs(opai, ended):
    """`-o name` gives names that every command takes."""
    rows = opai("sweep", "status", ended, "-o", "json").json
    assert [row["state"] for row in rows] == ["SUCCEEDED", "FAILED"] * 2
    failed = opai("sweep", "status", ended, "--state", "failed", "-o", "name").stdout.split()
    assert len(failed) == 2
    assert opai("job", "wait", *failed).exit_code == 3


@pytest.mark.process
def test_sweep_wait_as_json_has_exit_codes(opai, ended):
    """In JSON every job has its own; the command's is the first that is not 0."""
    result = opai("sweep", "wait", ended, "-o", "json")
    assert result.exit_code == 3
    assert [row["exitCode"] for row in result.json] == [0, 3, 0, 3]


@pytest.mark.process
def test_sweep_rerun_submits_failed_jobs(opai, ended):
    """A preview, then new jobs for these points only; the results show the latest of each."""
    preview = opai("sweep", "rerun", ended, "--dry-run", "-o", "json").json
    assert [row["job"] for row in preview] == [
        f"{ended}_lr-0p1_code-3_try2",
        f"{ended}_lr-0p001_code-3_try2",
    ]
    assert {row["status"] for row in opai("sweep", "rerun", ended, "-o", "json").json} == {
        "submitted"
    }
    opai("sweep", "wait", ended)
    shown = opai("sweep", "status", ended, "-o", "json").json
    assert [row["try"] for row in shown] == [1, 2, 1, 2]
    again = opai("sweep", "rerun", ended, "--state", "stopped")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "is STOPPED" in again.stderr


@pytest.mark.process
def test_sweep_stop_requires_confirmation(opai, name):
    """Without a terminal --yes is needed; then nothing more is submitted."""
    text = Path("job.yaml").read_text().replace("exit <%", "sleep 600 <%")
    Path("job.yaml").write_text(text)
    opai("job", "sweep", "job.yaml", "-p", "code=1,2")
    assert opai("sweep", "stop", name).exit_code == 2
    stopped = opai("sweep", "stop", name, "--yes", "-o", "json")
    assert [row["status"] for row in stopped.json] == ["stopped"] * 2
    assert opai("sweep", "wait", name).exit_code == 143
    assert "has no active jobs" in opai("sweep", "stop", name, "--yes").stderr


@pytest.mark.process
def test_sweep_results_read_metrics(opai, ended):
    """A path into a JSON file, or what a pattern found last in the log; sorted by one of them."""
    words = ("--metric", "metrics.json:val.acc", "--log-metric", "loss=loss: ([0-9.]+)")
    found = opai("sweep", "results", ended, *words, "--sort", "loss", "-o", "json")
    assert found.exit_code == 0, found.stderr
    metrics = [(row["metrics"]["val.acc"], row["metrics"]["loss"]) for row in found.json]
    assert metrics == [(0.001, 0.001)] * 2 + [(0.1, 0.1)] * 2
    assert [row["exitCode"] for row in found.json] == [0, 3, 0, 3]


@pytest.mark.process
def test_sweep_results_plot_bars(opai, ended):
    """A bar for each job, as long as its figure; none in a pipe unless it is asked for."""
    words = ("sweep", "results", ended, "--log-metric", "loss=loss: ([0-9.]+)")
    assert "█" not in opai(*words).stdout
    bars = re.findall(r"lr=(\S+) code=\d .*?(█+)", opai(*words, "--plot").stdout)
    lengths = {float(lr): len(bar) for lr, bar in bars}
    assert lengths[0.1] > lengths[0.001] >= 1


@pytest.mark.process
@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_sweep_results_save_plot(opai, ended, suffix):
    """A page that needs nothing else, a drawing, or a picture."""
    pytest.importorskip("matplotlib")
    words = ("sweep", "results", ended, "--log-metric", "loss=loss: ([0-9.]+)")
    done = opai(*words, "--save", f"plot.{suffix}")
    assert done.exit_code == 0, done.stderr
    content = Path(f"plot.{suffix}").read_bytes()
    if suffix == "png":
        assert content.startswith(b"\x89PNG")
        return
    text = content.decode()
    assert len(re.findall(r'<use [^>]*style="fill', text)) == 8  # loss over lr, and over code
    assert "loss over lr" in text
    assert ("<table>" in text) == (suffix == "html")
    assert not re.findall(r'(?:href|src)="(?!#)|url\((?!#)', text)


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_sweep_results_png_names_missing_package(opai, name, monkeypatch, suffix):
    """Before anything is asked of the cluster."""
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    result = opai("sweep", "results", name, "--save", f"plot.{suffix}")
    assert result.exit_code == 2
    assert "pip install 'openpai-cli[plots]'" in result.stderr


@pytest.mark.process
def test_sweep_download_fetches_files_of_all_jobs(opai, ended):
    """Each job's into a folder of its name; missing files are reported."""
    result = opai("sweep", "download", ended, "metrics.json")
    assert result.exit_code == 0, result.stderr
    assert len(list(Path(ended).glob("*/metrics.json"))) == 4
    nothing = opai("sweep", "download", ended, "other.txt", "--to", "x")
    assert nothing.exit_code == 4
    assert nothing.stderr.count("saved no other.txt") == 4


def test_sweep_dry_run_summarizes_resources(opai, name):
    """Jobs, GPUs of each, GPUs at once, kinds of machines, names."""
    text = (
        Path("job.yaml")
        .read_text()
        .replace("gpu: 0", "gpu: 2")
        .replace("instances: 1", "instances: 3")
    )
    Path("job.yaml").write_text(text)
    result = opai(
        "job", "sweep", "job.yaml", "-p", "code=1,2,3", "--max-parallel", "2", "--dry-run"
    )
    assert "3 jobs, 2 at a time, each with 6 GPUs: 12 GPUs at once at most." in result.stderr
    assert f"{name}_code-1 to {name}_code-3." in result.stderr


@pytest.mark.process
def test_sweep_interrupted_can_be_resumed(opai, name, tmp_path):
    """Ctrl-C ends with 130; the rest is submitted by `opai sweep resume`, and nothing twice."""
    gate = Gate(tmp_path / "go")
    text = Path("job.yaml").read_text().replace("exit <%", f"{gate.command}; true <%")
    Path("job.yaml").write_text(text)
    program = [sys.executable, "-m", "openpai.cli"]
    words = [*program, "job", "sweep", "job.yaml", "-p", "code=1,2,3", "--max-parallel", "1"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: "RUNNING" in opai("sweep", "status", name).stdout)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"opai sweep resume -a local {name}" in said
    gate.open()
    resumed = opai("sweep", "resume", name, "-o", "json")
    assert resumed.exit_code == 0, resumed.stderr
    assert [row["status"] for row in resumed.json] == ["existed", "submitted", "submitted"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["status", "no_such_sweep"], 4, "no sweep 'no_such_sweep'"),
        (["resume", "no_such_sweep"], 4, "no sweep"),
        (["results"], 2, "No jobs selected"),
        (["results", "x", "--tag", "y"], 2, "Leave them out"),
        (["results", "--tag", "t", "--metric", "acc"], 2, "FILE:KEY"),
        (["results", "--tag", "t", "--log-metric", "a=("], 2, "Invalid regular expression"),
        (["results", "--tag", "t", "--save", "x.jpg"], 2, ".html, .svg, .png"),
    ],
)
def test_sweep_commands_refuse_invalid_input(opai, local, words, code, said):
    """What is wrong, and what to write instead."""
    result = opai("sweep", *words)
    assert result.exit_code == code
    assert said in result.stderr
