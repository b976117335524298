"""``opai storage list-storage|list|status|cat|du``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from openpai.core.errors import StorageError


@pytest.fixture
def filled(root: Path) -> Path:
    """Put some files into the storage."""
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "b").write_text("12345")
    (root / "d" / "e" / "c").write_text("67")
    return root


def test_list_storage_hides_credentials(opai: Callable[..., Any], root: Path) -> None:
    """Storages are listed with their kind and mount, and without their keys."""
    result = opai("list-storage", "-o", "json")
    assert json.loads(result.stdout) == [
        {"name": "main", "type": "nfs", "readOnly": False, "mountPath": str(root)},
        {"name": "other", "type": "samba", "readOnly": False, "mountPath": None},
    ]
    assert "secret" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "/d"),
        ("list", "main:/d"),
        ("list", "d", "-s", "main", "-a", "only"),
        ("list", "d/", "--storage-alias", "main", "--cluster-alias", "only"),
    ],
)
def test_list_accepts_all_storage_names(
    opai: Callable[..., Any], filled: Path, arguments: tuple[str, ...]
) -> None:
    """A folder is listed, however its storage is named."""
    rows = json.loads(opai(*arguments).stdout)
    found = [(row["path"], row["type"], row["size"]) for row in rows]
    assert found == [("/d/b", "file", 5), ("/d/e", "folder", 0)]


def test_list_recursive_enters_folders(opai: Callable[..., Any], filled: Path) -> None:
    """With -r the list goes into folders; without a path it begins at the root."""
    rows = json.loads(opai("list", "-r").stdout)
    assert [row["path"] for row in rows] == ["/d", "/d/b", "/d/e", "/d/e/c"]


def test_list_of_file_is_itself(opai: Callable[..., Any], filled: Path) -> None:
    """A file lists itself."""
    assert [row["path"] for row in json.loads(opai("list", "/d/b").stdout)] == ["/d/b"]


def test_list_uses_default_storage(opai: Callable[..., Any], filled: Path, tmp_path: Path) -> None:
    """The user's ``storage-alias`` is used where no storage is named."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "defaults.yaml").write_text("storage-alias: other\n")
    with pytest.raises(StorageError, match="'other'"):
        opai("list", "/d")
    assert opai("list", "/d", "-s", "main").exit_code == 0


def test_status_describes_file(opai: Callable[..., Any], app: Any, filled: Path) -> None:
    """One file is described by one record, in the form asked for."""
    (filled / "d" / "b").chmod(0o640)
    row = json.loads(opai("status", "/d/b", "-o", "yaml").stdout)
    assert (row["path"], row["size"], row["mode"], row["storage"]) == ("/d/b", 5, "0640", "main")
    assert app.formats == ["yaml"]


def test_status_of_missing_path_is_error(opai: Callable[..., Any], root: Path) -> None:
    """What is not there is named."""
    with pytest.raises(FileNotFoundError, match="'main:/none'"):
        opai("status", "/none")


def test_cat_writes_bytes(opai: Callable[..., Any], root: Path) -> None:
    """Files are written to stdout byte for byte, one after the other."""
    (root / "a").write_bytes(b"\x00\xff\r\n")
    (root / "b").write_bytes(b"end")
    assert opai("cat", "/a", "main:/b").stdout_bytes == b"\x00\xff\r\nend"


def test_du_adds_sizes(opai: Callable[..., Any], filled: Path) -> None:
    """Files, folders and bytes are added up."""
    rows = json.loads(opai("du", "/d", "/d/b").stdout)
    assert [(row["path"], row["size"], row["files"], row["folders"]) for row in rows] == [
        ("/d", 7, 2, 1),
        ("/d/b", 5, 1, 0),
    ]


def test_list_refuses_conflicting_storages(opai: Callable[..., Any], root: Path) -> None:
    """A path and -s that name different storages are wrong usage."""
    result = opai("list", "main:/d", "-s", "other")
    assert result.exit_code == 2
    assert "'main:/d' is on 'main', but -s says 'other'" in result.output


@pytest.mark.parametrize("path", ["../x", "main:/a/../../x", "main:"])
def test_list_refuses_invalid_paths(opai: Callable[..., Any], root: Path, path: str) -> None:
    """A path that leaves the storage, or is none, is refused."""
    with pytest.raises(StorageError):
        opai("list", path)
