"""``opai storage mkdir|move|delete``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from openpai.core.errors import StorageError


def test_mkdir_creates_parents(opai: Callable[..., Any], root: Path) -> None:
    """Folders are made with those above them; a second time is fine."""
    for _ in range(2):
        opai("mkdir", "/a/b", "main:/c")
    assert (root / "a" / "b").is_dir()
    assert (root / "c").is_dir()


@pytest.mark.parametrize(
    ("target", "arrives"),
    [("/new", "new"), ("main:/d", "d/file"), ("/d/", "d/file"), ("/n/e/w", "n/e/w")],
)
def test_move_renames_or_enters_folder(
    opai: Callable[..., Any], root: Path, target: str, arrives: str
) -> None:
    """A file moves to a new name, or into a folder."""
    (root / "file").write_text("x")
    (root / "d").mkdir()
    opai("move", "main:/file", target)
    assert (root / arrives).read_text() == "x"
    assert not (root / "file").exists()


def test_move_requires_overwrite(opai: Callable[..., Any], root: Path) -> None:
    """An existing file is replaced only if that is asked for."""
    (root / "a").write_text("a")
    (root / "b").write_text("b")
    with pytest.raises(FileExistsError, match="'main:/b'"):
        opai("move", "/a", "/b")
    assert (root / "b").read_text() == "b"
    opai("move", "/a", "/b", "--overwrite")
    assert (root / "b").read_text() == "a"


def test_move_between_storages_is_refused(opai: Callable[..., Any], root: Path) -> None:
    """Storages are not mixed up: a move stays in one."""
    (root / "a").write_text("a")
    result = opai("move", "/a", "other:/a")
    assert result.exit_code == 2
    assert "are on two storages" in result.output
    assert (root / "a").exists()


def test_delete_requires_recursive_for_folders(opai: Callable[..., Any], root: Path) -> None:
    """Files and empty folders go; a full folder goes with -r only; the root never."""
    (root / "d").mkdir()
    (root / "d" / "file").write_text("x")
    (root / "file").write_text("x")
    opai("delete", "/file")
    with pytest.raises(OSError, match=r"Directory not empty: 'main:/d'"):
        opai("delete", "/d")
    opai("delete", "/d", "-r")
    assert list(root.iterdir()) == []
    with pytest.raises(PermissionError):
        opai("delete", "/", "-r")


def test_delete_missing_path_is_error(opai: Callable[..., Any], root: Path) -> None:
    """What is not there cannot be deleted."""
    with pytest.raises(FileNotFoundError, match="'main:/none'"):
        opai("delete", "/none", "-r")


def test_failed_path_does_not_stop_others(opai: Callable[..., Any], app: Any, root: Path) -> None:
    """Of several paths those that fail are named, each once, and the others are done."""
    (root / "file").write_text("x")
    (root / "a").write_text("a")
    (root / "full").mkdir()
    (root / "full" / "file").write_text("x")
    for words, done in (
        (("mkdir", "/file", "/new", "/file/below"), (root / "new").is_dir),
        (("cat", "/none", "/a"), lambda: True),
        (("du", "/none", "/a"), lambda: True),
        (("delete", "/none", "/full", "/a"), lambda: not (root / "a").exists()),
    ):
        app.notes.clear()
        with pytest.raises(StorageError, match=f"of {len(words) - 1} failed; the others are done"):
            opai(*words)
        assert done()
        assert len(app.notes) == {"mkdir": 2, "delete": 2}.get(words[0], 1)
        assert all(note.startswith("main:/") for note in app.notes)
