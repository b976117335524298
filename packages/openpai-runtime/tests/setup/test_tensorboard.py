"""TensorBoard runs beside the command of the first task."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

BOARD = """
import sys, time
open("board", "w").write(" ".join(sys.argv[1:]))
time.sleep(600)
"""
#: Processes of the runtime, the command among them.
CHILDREN = "cat /proc/$PPID/task/$PPID/children"


@pytest.fixture(autouse=True)
def board(task: Any, tmp_path: Path) -> None:
    """A program that stands in for TensorBoard, which is large, and two tasks."""
    (tmp_path / "packages/tensorboard").mkdir(parents=True)
    (tmp_path / "packages/tensorboard/__init__.py").touch()
    (tmp_path / "packages/tensorboard/main.py").write_text(BOARD)
    task.env["PYTHONPATH"] = str(tmp_path / "packages")
    task.env["PAI_HOST_IP_worker_0"] = "127.0.0.1"
    task.env["PAI_PORT_LIST_worker_0_http"] = "20001"
    task.document["taskRoles"]["worker"]["instances"] = 2


def test_tensorboard_runs_beside_command(task: Any) -> None:
    """With the folder and the port that it was given."""
    assert shutil.which("python3")
    task.section(tensorboard={"logdir": "logs/a b"})
    done = task.bash(f"until test -s board; do sleep 0.05; done; cat board; echo; {CHILDREN}")
    arguments, children = done.stdout.splitlines()
    assert arguments == "--logdir logs/a b --host 0.0.0.0 --port 20001"
    assert len(children.split()) == 2
    assert done.returncode == 0


def test_tensorboard_runs_in_first_task_only(task: Any) -> None:
    """One is enough."""
    task.section(tensorboard={"logdir": "logs"})
    task.env["PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX"] = "1"
    assert len(task.bash(CHILDREN).stdout.split()) == 1
    assert not (task.work / "board").exists()


def test_tensorboard_reports_missing_port(task: Any) -> None:
    """The command runs all the same."""
    task.section(tensorboard={"logdir": "logs", "port": "tb"})
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "TensorBoard is not started: this task has no port 'tb'." in done.stderr
