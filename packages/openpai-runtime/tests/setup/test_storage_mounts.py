"""Where storages are, and the paths under which a job wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openpai.core.errors import StorageError
from openpai.runtime.exit_codes import NOT_READY
from openpai.runtime.job.context import storage_folder


def test_storage_path_of_local_cluster_comes_first(tmp_path: Path) -> None:
    """OPENPAI_STORAGES is a JSON object of name and folder."""
    environ = {"OPENPAI_STORAGES": json.dumps({"team": str(tmp_path)})}
    document = {"extras": {"storages": [{"name": "team", "mountPath": "/"}]}}
    assert storage_folder("team", document, environ) == tmp_path


def test_storage_path_of_job_comes_second(tmp_path: Path) -> None:
    """PAI mounts a storage at the mountPath under extras.storages."""
    document = {"extras": {"storages": [{"name": "team", "mountPath": str(tmp_path)}]}}
    assert storage_folder("team", document, {}) == tmp_path


@pytest.mark.parametrize("document", [{}, {"extras": {"storages": [{"name": "team"}, 1]}}])
def test_unmounted_storage_is_error(document: Any) -> None:
    """The message names where it was looked for."""
    with pytest.raises(StorageError, match="looked at /mnt/team"):
        storage_folder("team", document, {})


def test_invalid_storages_variable_is_error() -> None:
    """Nonsense in OPENPAI_STORAGES is not passed over."""
    with pytest.raises(StorageError, match="not a JSON object"):
        storage_folder("team", {}, {"OPENPAI_STORAGES": "[]"})


@pytest.mark.process
def test_mount_is_linked_at_path(task: Any, tmp_path: Path) -> None:
    """A path that does not exist leads to where the platform has mounted the storage."""
    (task.storage / "data").write_text("x")
    path = tmp_path / "mnt/wanted"
    task.section(mounts=[{"storage": "team", "path": str(path)}])
    assert task.run("cat", str(path / "data")).stdout == "x"


@pytest.mark.process
def test_mount_keeps_existing_link(task: Any) -> None:
    """The platform's own path needs nothing."""
    task.section(mounts=[{"storage": "team", "path": str(task.storage)}])
    assert task.run("true").returncode == 0
    assert not task.storage.is_symlink()


@pytest.mark.process
def test_mount_refuses_used_path(task: Any, tmp_path: Path) -> None:
    """The command does not start in a folder of other files."""
    (tmp_path / "taken").mkdir()
    task.section(mounts=[{"storage": "team", "path": str(tmp_path / "taken")}])
    done = task.run("true")
    assert done.returncode == NOT_READY
    assert "something else is there" in done.stderr


@pytest.mark.process
def test_mount_of_unknown_storage_prevents_command(task: Any) -> None:
    """It would not find its data."""
    task.section(mounts=[{"storage": "other", "path": "/mnt/x"}])
    done = task.run("true")
    assert done.returncode == NOT_READY
    assert "'other' is not mounted" in done.stderr
