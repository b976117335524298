"""The runtime in one file: in an image, or in a workspace of a cluster without a package index."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.environments import bare_environment

from openpai.core.protocol.bootstrap import CARRIED, add_bootstrap
from openpai.runtime.cli.zipapp import carry


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    path = tmp_path_factory.mktemp("carried") / "runtime.pyz"
    carry(path)
    return path


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has none of our packages."""
    return bare_environment(tmp_path_factory) / "bin" / "python"


def job(task: Any, root: Path, *commands: str) -> str:
    """Return the script of a job with outputs, and write its config."""
    task.section(outputs=[{"path": "a"}], workspace=f"team:{root}")
    document = {**task.document}
    document["taskRoles"] = {"worker": {"instances": 1, "commands": list(commands)}}
    document["extras"] = {**document["extras"], "storages": [{"name": "team", "mountPath": "/"}]}
    document = add_bootstrap(document)
    task.config.write_text(json.dumps(document))
    return "\n".join(document["taskRoles"]["worker"]["commands"])


@pytest.mark.process
def test_carried_runtime_runs_task(task: Any, archive: Path, bare: Path) -> None:
    """With all that a task asks for, from the archive itself."""
    task.section(outputs=[{"path": "a"}], callbacks=[{"on": "exit", "commands": ["echo exit"]}])
    task.config.write_text(json.dumps(task.document))
    argv = [bare, "-I", str(archive), "run", "--", "sh", "-c", "echo x >a; exit 4"]
    done = subprocess.run(
        argv, env=task.env, cwd=task.work, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (4, "exit\n"), done.stderr
    assert (task.output / "a").read_text() == "x\n"


def test_carry_is_reproducible(archive: Path, tmp_path: Path) -> None:
    """So that it can be compared."""
    carry(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == archive.read_bytes()
    assert os.access(archive, os.X_OK)


@pytest.mark.process
def test_bootstrap_uses_carried_runtime_of_workspace(
    task: Any, archive: Path, bare: Path, tmp_path: Path
) -> None:
    """Without an index, into the private folder; a second task needs the workspace no more."""
    root = tmp_path / "space"
    place = root / CARRIED
    place.parent.mkdir(parents=True)
    place.write_bytes(archive.read_bytes())
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").write_text(f'#!/bin/sh\nexec {bare} "$@"\n')
    (tools / "python3").chmod(0o755)
    script = tmp_path / "user.sh"
    script.write_text(job(task, root, "echo x >a", "echo ran"))
    environ = {
        **task.env,
        "PATH": f"{tools}:/usr/bin:/bin",
        "OPENPAI_STORAGES": json.dumps({"team": "/"}),
        "OPENPAI_RUNTIME_HOME": str(tmp_path / "private"),
        "PIP_NO_INDEX": "1",
    }
    for _ in range(2):
        done = subprocess.run(
            ["bash", str(script)],
            env=environ,
            cwd=task.work,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
        assert "Saved 1 file" in done.stderr
        place.unlink(missing_ok=True)
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    assert len(list((tmp_path / "private").iterdir())) == 1


@pytest.mark.process
def test_carry_reports_unwritable_file(tmp_path: Path) -> None:
    """One sentence, and nothing half written."""
    target = tmp_path / "none" / "x.pyz"
    argv = [sys.executable, "-m", "openpai.runtime", "carry", str(target)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No such file or directory" in done.stderr
