"""Where a storage is found on this machine, and what is said when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpai.core.errors import StorageError
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import upload

KINDS = ["azureBlob", "azureFile", "dshuttle", "nfs", "other", "samba", "unknown"]


@pytest.mark.parametrize("kind", KINDS)
def test_mounted_storage_opens_for_any_type(root: Path, kind: str) -> None:
    """Whatever its type, a mounted storage is a folder."""
    (root / "file").write_text("x")
    with open_storage(StorageSpec("main", kind, mount_path=str(root))) as storage:
        assert storage.stat("/file").size == 1
        assert storage.where("/file") == "main:/file"


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost", "::1"])
def test_export_of_this_machine_needs_no_mount(root: Path, server: str) -> None:
    """What this machine exports itself needs no mount."""
    spec = StorageSpec("main", "nfs", {"server": server, "path": str(root)})
    with open_storage(spec) as storage:
        assert list(storage.list("/")) == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("nfs", {"server": "nas.example.org", "path": "/"}),
        ("nfs", {"server": "127.0.0.1", "path": "/none/such"}),
        ("nfs", {}),
        ("samba", {"username": "alice", "password": "hush"}),
    ],
)
def test_unmounted_storage_is_error(kind: str, data: dict[str, str]) -> None:
    """A storage that is not known to be mounted is named, with what to do, and no secrets."""
    with pytest.raises(StorageError) as caught:
        open_storage(StorageSpec("main", kind, data))
    assert "It is not known where storage 'main'" in str(caught.value)
    assert "OPENPAI_STORAGES" in caught.value.hint
    assert "hush" not in str(caught.value)


def test_export_of_other_server_is_refused(root: Path) -> None:
    """A folder here is not taken for the same path on another machine."""
    with pytest.raises(StorageError):
        open_storage(StorageSpec("main", "nfs", {"server": "nas", "path": str(root)}))


def test_unmounted_storage_in_job_is_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a job the message is the same where PAI's own place does not exist."""
    monkeypatch.setenv("PAI_FRAMEWORK_NAME", "alice~train")
    monkeypatch.setenv("PAI_CURRENT_TASK_ROLE_NAME", "worker")
    with pytest.raises(StorageError, match="It is not known where"):
        open_storage(StorageSpec("no-such-mount-here", "nfs"))


@pytest.mark.parametrize("missing", ["none", "file"])
def test_removed_mount_is_error(root: Path, missing: str) -> None:
    """A mount point that is missing or no folder is named."""
    (root / "file").write_text("x")
    with pytest.raises(StorageError, match=f"'main' is not mounted: {root / missing}"):
        open_storage(StorageSpec("main", "nfs", mount_path=str(root / missing)))


def test_relative_mount_is_refused() -> None:
    """A mount point must not depend on where the command is started."""
    with pytest.raises(StorageError, match="is not absolute"):
        open_storage(StorageSpec("main", "nfs", mount_path="data"))


def test_read_only_storage_refuses_changes(root: Path) -> None:
    """What the cluster calls read-only is not written."""
    (root / "file").write_text("old")
    spec = StorageSpec("main", "nfs", mount_path=str(root), read_only=True)
    with open_storage(spec) as storage, pytest.raises(PermissionError, match="Read-only storage"):
        storage.delete("/file")
    assert (root / "file").exists()


def test_missing_permission_is_reported(unwritable: LocalStorage) -> None:
    """What this user may not write is an error that names the place; nothing changes."""
    with pytest.raises(PermissionError, match="'main:/file'"):
        unwritable.delete("/file")
    with pytest.raises(PermissionError, match="'main:/new'"):
        unwritable.mkdir("/new")
    with pytest.raises(PermissionError, match="'main:/new'"):
        unwritable.rename("/file", "/new")
    with pytest.raises(PermissionError, match="'main:/new/file'"):
        upload(unwritable, Path("/bin/sh"), "/new/file")
    assert [path.name for path in unwritable.root.iterdir()] == ["file"]
