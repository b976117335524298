"""``opai storage attach|detach``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from openpai.core.errors import ConfigError, StorageError

Opai = Callable[..., Any]


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: Any) -> Path:
    """Return a folder to attach; no cluster is known."""

    def none(_: object) -> None:
        raise ConfigError("No cluster is known yet.")

    monkeypatch.setattr(app, "cluster", none)
    folder = tmp_path / "away"
    folder.mkdir()
    return folder


def test_attach_makes_storage_usable(opai: Opai, away: Path) -> None:
    """An attached storage is listed and used by name, without any cluster."""
    opai("attach", "scans", "--type", "nfs", "--mount-path", str(away))
    Path("file").write_text("x")
    opai("upload", "file", "scans:/new/")
    assert (away / "new" / "file").read_text() == "x"
    rows = json.loads(opai("list-storage", "-o", "json").stdout)
    assert [(row["name"], row["type"], row["mountPath"]) for row in rows] == [
        ("scans", "nfs", str(away))
    ]
    with pytest.raises(StorageError, match="No storage is called 'scan': known here are scans"):
        opai("list", "scan:/")
    with pytest.raises(StorageError, match="'/' names no storage: known here are scans"):
        opai("list", "/")
    opai("detach", "scans")
    with pytest.raises(ConfigError, match="No cluster is known"):
        opai("list", "scans:/")


def test_mounted_storage_needs_no_cluster(
    opai: Opai, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a job's container, which knows no cluster, storages are used where they are mounted."""
    reported = {"team": str(away), "gone": str(away / "none")}
    monkeypatch.setenv("OPENPAI_STORAGES", json.dumps(reported))
    Path("file").write_text("x")
    opai("upload", "file", "team:/new/")
    assert (away / "new" / "file").read_text() == "x"
    rows = json.loads(opai("list-storage", "-o", "json").stdout)
    assert [(row["name"], row["mountPath"]) for row in rows] == [("team", str(away))]
    with pytest.raises(StorageError, match="No storage is called 'gone': known here are team"):
        opai("list", "gone:/")


def test_attach_read_only_refuses_changes(opai: Opai, away: Path) -> None:
    """A storage attached as read-only takes no changes."""
    opai("attach", "scans", "--type", "nfs", "--mount-path", str(away), "--read-only")
    with pytest.raises(PermissionError):
        opai("mkdir", "scans:/new")


def test_attach_stores_secrets_privately(opai: Opai, away: Path, tmp_path: Path) -> None:
    """A secret is read from stdin, kept in a private file, and gone after detaching."""
    from click.testing import CliRunner

    from openpai.core.config.storages import attached_storages, with_secrets
    from openpai.storage.cli import storage

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "defaults.yaml").write_text("credentials: file\n")
    line = ["attach", "b", "--type", "nfs", "--uri", "nfs://x", "--secret", "secret_key"]

    class App:
        def note(self, text: str) -> None:
            assert "s3cret" not in text

    result = CliRunner().invoke(storage, line, obj=App(), input="s3cret\n")
    assert result.exit_code == 0, result.output
    assert "s3cret" not in result.output
    home = tmp_path / "home"
    assert "s3cret" not in (home / "storages.yaml").read_text()
    assert (home / "credentials.yaml").stat().st_mode & 0o777 == 0o600
    assert with_secrets(attached_storages()["b"]).data == {"uri": "nfs://x", "secret_key": "s3cret"}
    opai("detach", "b")
    assert "s3cret" not in (home / "credentials.yaml").read_text()


def test_attach_refuses_invalid_input(opai: Opai, away: Path) -> None:
    """Unknown types, names that are none, and settings without a value are refused."""
    with pytest.raises(ConfigError, match="opens storages of type 'floppy'"):
        opai("attach", "x", "--type", "floppy")
    with pytest.raises(ConfigError, match="Invalid storage name"):
        opai("attach", "a:b", "--type", "nfs")
    with pytest.raises(ConfigError, match="Storage 'none' is not attached"):
        opai("detach", "none")
    assert opai("attach", "x", "--type", "nfs", "--set", "key").exit_code == 2


def test_attach_replaces_same_name(opai: Opai, away: Path) -> None:
    """The second attachment of a name is the one that counts."""
    opai("attach", "scans", "--type", "nfs", "--mount-path", "/nowhere")
    opai("attach", "scans", "--type", "nfs", "--mount-path", str(away))
    assert opai("list", "scans:/").exit_code == 0
