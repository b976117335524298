"""A task does not wait for what it does not need."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.process

HEAVY = {
    "click",
    "requests",
    "sqlite3",
    "subprocess",
    "tarfile",
    "tempfile",
    "yaml",
    "openpai.core.code.archive",
    "openpai.core.protocol.job_yaml",
    "openpai.core.storage.transfer.transfer",
    "openpai.runtime.setup.preparation",
}


def imported(task: Any) -> set[str]:
    """Run a command that does nothing; return the modules that the runtime imported."""
    launch = "import sys; from openpai.runtime.cli.main import main; sys.exit(main())"
    argv = [sys.executable, "-X", "importtime", "-c", launch, "run", "--", "true"]
    done = subprocess.run(
        argv, env=task.env, cwd=task.work, capture_output=True, text=True, check=True
    )
    return {name.strip() for name in re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)}


def test_plain_command_imports_little(task: Any) -> None:
    """Nothing of the job's config, storages and outputs is there."""
    del task.env["OPENPAI_JOB_CONFIG"]
    found = imported(task)
    assert not found & {*HEAVY, "dataclasses", "json", "openpai.core.storage.base", "typing"}
    assert "openpai.runtime.process.command" in found


def test_workspace_without_outputs_imports_little(task: Any) -> None:
    """The config of a job that opai submits is JSON; with nothing to save nothing is copied."""
    task.section()
    task.run("true")  # writes the config
    found = imported(task)
    assert not found & HEAVY, found & HEAVY
    assert task.manifest["exitCode"] == 0
