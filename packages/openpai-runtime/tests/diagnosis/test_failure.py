"""Why a command failed is said once, and written down."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from openpai.runtime.diagnosis.failure import Diagnosis, as_text, log_tail


def logged(task: Any, script: str) -> str:
    """Run a failing script with its output in a file; return the file's text."""
    path = task.work.parent / "log"
    with path.open("w") as log:
        task.start("bash", "-c", script, stdout=log, stderr=log).wait(60)
    return str(path.read_text())


@pytest.mark.process
def test_failure_is_explained_from_log(task: Any) -> None:
    """The block has exit code, time, the matching line, its meaning and what to do."""
    task.section()
    text = logged(
        task,
        "echo 'KeyError: early'; echo \"No module named 'x'\"; "
        "echo \"ModuleNotFoundError: No module named 'x'\"; exit 1",
    )
    assert "[openpai-runtime] The command failed with exit code 1 after " in text
    assert "[openpai-runtime]   Log: ModuleNotFoundError: No module named 'x'\n" in text
    assert "A Python package is missing or broken." in text


@pytest.mark.process
def test_explanation_is_in_manifest(task: Any) -> None:
    """Programs can read the explanation."""
    task.section()
    logged(task, "echo 'x: command not found'; kill -SEGV $$")
    told = task.manifest["explanation"]
    assert (told["exitCode"], told["signal"]) == (139, "SIGSEGV")
    assert told["log"]["cause"] == "missing-command"
    assert task.manifest["seconds"]["command"] >= 0


@pytest.mark.process
def test_success_has_no_explanation(task: Any) -> None:
    """Nothing is said, and the manifest has times only."""
    task.section()
    assert task.bash("echo 'KeyError: handled'").stderr == ""
    assert "explanation" not in task.manifest
    assert set(task.manifest["seconds"]) == {"before", "command"}


@pytest.mark.process
def test_stopped_command_has_no_explanation(task: Any, finish: Any) -> None:
    """Who was asked to end has not failed."""
    task.section()
    process = task.start("bash", "-c", "echo ready; exec sleep 600")
    process.stdout.readline()
    process.terminate()
    assert "failed with" not in finish(process).stderr


@pytest.mark.process
def test_failure_without_log_reports_exit_code(task: Any) -> None:
    """Output to a pipe is not read."""
    task.section()
    assert "failed with exit code 3 after" in task.bash("echo KeyError: x; exit 3").stderr


def test_oom_kill_explanation_names_memory() -> None:
    """The advice names the key of the job."""
    text = as_text(Diagnosis(137, 3.14, 1, []))
    assert "exit code 137 (SIGKILL) after 3.1 s" in text
    assert "memoryMB" in text


def test_log_tail_finds_platform_log(tmp_path: Path) -> None:
    """A local cluster keeps the log beside the job's config."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/user-all").write_text("x" * 100_000 + "end")
    environ = {"OPENPAI_LOCAL_CLUSTER": "http://x", "OPENPAI_JOB_CONFIG": str(tmp_path / "j.yaml")}
    assert log_tail(environ).endswith("xend")
    assert len(log_tail(environ)) == 64 * 1024


def test_log_tail_waits_for_last_line(tmp_path: Path) -> None:
    """What the command wrote last may arrive after it has ended."""
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs/user-all"
    log.write_text("early\n")
    environ = {"OPENPAI_LOCAL_CLUSTER": "http://x", "OPENPAI_JOB_CONFIG": str(tmp_path / "j.yaml")}
    late = threading.Timer(0.3, lambda: log.write_text("early\nlate\nlast\n"))
    late.start()
    assert log_tail(environ, until="last") == "early\nlate\nlast\n"
    late.join()


@pytest.mark.process
@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("printf '0, 0\\n1, 2\\n2, [N/A]\\n'", "  GPU: number 1 counts 2 uncorrectable memory"),
        ("echo NVIDIA-SMI has failed; exit 9", None),
        ("printf '0, 0\\n'", None),
    ],
)
def test_gpu_faults_are_reported(task: Any, says: str, told: str | None) -> None:
    """By what nvidia-smi answers; whatever else it says means nothing."""
    programs = task.work.parent / "programs"
    programs.mkdir()
    (programs / "nvidia-smi").write_text(f"#!/bin/sh\n{says}\n")
    (programs / "nvidia-smi").chmod(0o755)
    task.env["PATH"] = f"{programs}:{task.env['PATH']}"
    task.section()
    err = task.bash("exit 1").stderr
    assert ("GPU" in err) is bool(told)
    assert told is None or told in err
    assert len(task.manifest["explanation"]["gpuFaults"]) == bool(told)
