"""``opai storage upload|download``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from openpai.core.storage.transfer.transfer import TransferError


@pytest.fixture
def tree(opai: Callable[..., Any]) -> Path:
    """Put a folder into the working directory."""
    folder = Path("tree")
    (folder / "d").mkdir(parents=True)
    (folder / "d" / "file").write_text("12345")
    (folder / "top").write_text("1")
    return folder.absolute()


def test_transfer_accepts_old_options(opai: Callable[..., Any], root: Path, tree: Path) -> None:
    """The lines of the old opai still work: -a, -s, --overwrite, --recursive."""
    opai("upload", "tree/top", "/x/top", "-a", "only", "-s", "main")
    (tree / "top").write_text("22")
    opai("upload", "tree/top", "/x/top", "-a", "only", "-s", "main", "--overwrite")
    assert (root / "x" / "top").read_text() == "22"
    Path("got").write_text("older")
    opai("download", "/x/top", "got", "-a", "only", "-s", "main")
    assert Path("got").read_text() == "22"
    opai("delete", "/x", "-a", "only", "-s", "main", "--recursive")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("local", "remote", "arrives"),
    [
        ("tree", "/new", "new/d/file"),
        ("tree", "/there", "there/d/file"),
        ("tree", "/there/", "there/tree/d/file"),
        ("tree", "/", "tree/d/file"),
        ("tree", "main:there/.", "there/tree/d/file"),
        (".", "/there/", "there/work/tree/d/file"),
        ("tree/d/file", "/new/name", "new/name"),
        ("tree/d/file", "/there", "there/file"),
        ("tree/d/file", "/new/", "new/file"),
    ],
)
def test_upload_target_path(
    opai: Callable[..., Any], root: Path, tree: Path, local: str, remote: str, arrives: str
) -> None:
    """A path is the name to give, or with a slash at its end the folder to put things in."""
    (root / "there").mkdir()
    for _ in range(2):
        opai("upload", local, remote)
        assert (root / arrives).read_text() == "12345"
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) == (1 if local.endswith("file") else 2)


@pytest.mark.parametrize(
    ("arguments", "arrives"),
    [
        (("/t",), "t/d/file"),
        (("/t", "."), "t/d/file"),
        (("/t", "new"), "new/d/file"),
        (("/t", "there"), "there/d/file"),
        (("/t", "there/"), "there/t/d/file"),
        (("/", "."), "main/t/d/file"),
        (("/t/d/file",), "file"),
        (("/t/d/file", "new/name"), "new/name"),
        (("/t/d/file", "there"), "there/file"),
    ],
)
def test_download_target_path(
    opai: Callable[..., Any], root: Path, arguments: tuple[str, ...], arrives: str
) -> None:
    """The same holds for downloads; without a target they go into the current folder."""
    (root / "t" / "d").mkdir(parents=True)
    (root / "t" / "d" / "file").write_text("12345")
    Path("there").mkdir()
    for _ in range(2):
        opai("download", *arguments)
        assert Path(arrives).read_text() == "12345"


def test_upload_keeps_different_file(opai: Callable[..., Any], root: Path, tree: Path) -> None:
    """Without --overwrite an existing file that differs stays, and the error names it."""
    (root / "top").write_text("2")
    with pytest.raises(FileExistsError, match="'main:/top'"):
        opai("upload", "tree/top", "/top")
    assert (root / "top").read_text() == "2"


def test_download_no_overwrite_keeps_file(opai: Callable[..., Any], root: Path) -> None:
    """Downloads replace existing files unless an option forbids it."""
    (root / "file").write_text("new")
    Path("file").write_text("old")
    with pytest.raises(FileExistsError):
        opai("download", "/file", "--no-overwrite")
    assert Path("file").read_text() == "old"


def test_upload_summary_counts_files(opai: Callable[..., Any], app: Any, tree: Path) -> None:
    """Without -o there is no data, only a summary; a second run says what was there."""
    result = opai("upload", "tree", "/t")
    opai("upload", "tree", "/t")
    assert result.stdout == ""
    assert app.notes == ["2 files copied (6 B).", "0 files copied (0 B), 2 files unchanged."]
    assert app.progressed == 12


def test_upload_as_json_lists_files(opai: Callable[..., Any], root: Path, tree: Path) -> None:
    """With -o json there is one line for each file, also for those that failed."""
    (root / "t" / "d").mkdir(parents=True)
    (root / "t" / "d" / "file").write_text("other")
    with pytest.raises(TransferError):
        opai("upload", "tree", "/t")
    (root / "t" / "d" / "file").unlink()
    rows = map(json.loads, opai("upload", "tree", "/t", "-o", "json").stdout.splitlines())
    assert sorted((row["target"], row["status"], row["size"]) for row in rows) == [
        ("main:/t/d/file", "copied", 5),
        ("main:/t/top", "unchanged", 1),
    ]


def test_upload_lists_failures(
    opai: Callable[..., Any], app: Any, root: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file that failed is named with its reason, and the rest is there."""
    (tree / "a").symlink_to("/etc/passwd")
    with pytest.raises(TransferError, match="1 of 3 were not copied"):
        opai("upload", "tree", "/t")
    assert app.notes == [
        f"{tree / 'a'}: A link leads out of the storage",
        "2 files copied (6 B), 1 failed.",
    ]
    assert (root / "t" / "top").exists()


@pytest.mark.parametrize(
    "arguments", [("upload", "none", "/x"), ("download", "/none"), ("download", "/none", "x/")]
)
def test_transfer_of_missing_source_is_error(
    opai: Callable[..., Any], root: Path, arguments: tuple[str, ...]
) -> None:
    """A source that does not exist is named; nothing is made."""
    with pytest.raises(FileNotFoundError, match="none'"):
        opai(*arguments)
    assert [*root.iterdir(), *Path().iterdir()] == []
