"""``opai storage sync|copy|check``, plans, lists and patterns."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest
from support.trees import files

from openpai.core.errors import StorageError, StorageLoginError
from openpai.core.storage.transfer.transfer import TransferError

Opai = Callable[..., Any]


def lines(result: Any) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_sync_makes_target_equal(opai: Opai, app: Any, root: Path, tree: Path) -> None:
    """Syncing sends what differs and, if asked, deletes what the source does not have."""
    (root / "t" / "old" / "deep").mkdir(parents=True)
    (root / "t" / "old" / "deep" / "x").write_text("x")
    (root / "t" / "top").write_text("other")
    opai("sync", "tree", "main:/t")
    assert files(root / "t") == ["d/a.txt", "d/b.log", "d/empty", "old/deep/x", "top"]
    assert (root / "t" / "top").read_text() == "1"
    opai("sync", "tree", "main:/t", "--delete")
    assert files(root / "t") == files(tree)
    assert app.notes[-1] == "0 files copied (0 B), 3 files unchanged, 3 deleted."


def test_sync_downloads(opai: Opai, root: Path, tree: Path) -> None:
    """A storage may be the source, and :/PATH is on the default one."""
    opai("upload", "tree", "/t")
    (tree / "more").write_text("x")
    (tree / "top").unlink()
    opai("sync", ":/t", "tree", "--delete")
    assert files(tree) == files(root / "t")


def test_sync_refuses_too_many_deletions(opai: Opai, root: Path, tree: Path) -> None:
    """If more than --max-delete would go, nothing goes, and the copying is done."""
    (root / "t").mkdir()
    for number in range(5):
        (root / "t" / f"x{number}").write_text("x")
    with pytest.raises(StorageError, match="5 files and folders would be deleted, more than 4"):
        opai("sync", "tree", "main:/t", "--delete", "--max-delete", "4")
    assert len(files(root / "t")) == 9
    opai("sync", "tree", "main:/t", "--delete", "--max-delete", "5")
    assert files(root / "t") == files(tree)


def test_sync_deletes_nothing_after_failure(opai: Opai, root: Path, tree: Path) -> None:
    """Nothing is deleted when the source could not be read completely."""
    (root / "t").mkdir()
    (root / "t" / "old").write_text("x")
    (tree / "out").symlink_to("/etc/passwd")
    with pytest.raises(TransferError):
        opai("sync", "tree", "main:/t", "--delete")
    assert (root / "t" / "old").exists()


def test_sync_keeps_excluded_files(opai: Opai, root: Path, tree: Path) -> None:
    """What patterns leave out of the source stays at the target."""
    (root / "t" / "old").mkdir(parents=True)
    (root / "t" / "old" / "kept.log").write_text("x")
    (root / "t" / "old" / "gone").write_text("x")
    opai("sync", "tree", "main:/t", "--delete", "--exclude", "*.log")
    assert files(root / "t") == ["d/a.txt", "d/empty", "old/kept.log", "top"]


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        (("--include", "*.txt"), ["d/a.txt"]),
        (("--include", "d/"), ["d/a.txt", "d/b.log"]),
        (("--exclude", "d"), ["top"]),
        (("--exclude", "*.log"), ["d/a.txt", "d/empty", "top"]),
        (("--exclude", "d/*", "--exclude", "!b.log"), ["d/b.log", "top"]),
        (("--include", "*.txt", "--exclude", "a.*"), []),
    ],
)
def test_sync_applies_patterns(
    opai: Opai, root: Path, tree: Path, options: tuple[str, ...], taken: list[str]
) -> None:
    """Patterns are lines of an ignore file at the root of what is copied."""
    opai("upload", "tree", "/t", *options)
    assert (files(root / "t") if (root / "t").exists() else []) == taken


def test_sync_applies_ignore_files(opai: Opai, root: Path, tree: Path) -> None:
    """.opaiignore always counts, .gitignore where that is asked for."""
    (tree / ".gitignore").write_text("*.txt\n")
    (tree / "d" / ".opaiignore").write_text("*.log\n")
    opai("upload", "tree", "/one")
    assert files(root / "one") == [".gitignore", "d/.opaiignore", "d/a.txt", "d/empty", "top"]
    opai("upload", "tree", "/two", "--gitignore")
    assert files(root / "two") == [".gitignore", "d/.opaiignore", "d/empty", "top"]


def test_sync_dry_run_changes_nothing(opai: Opai, app: Any, root: Path, tree: Path) -> None:
    """A dry run shows each step and does none."""
    (root / "t").mkdir()
    (root / "t" / "top").write_text("other")
    (root / "t" / "old").write_text("x")
    rows = lines(opai("sync", "tree", "main:/t", "--delete", "--dry-run", "-o", "json"))
    assert [(row["action"], row["path"]) for row in rows] == [
        ("copy", "d/a.txt"),
        ("copy", "d/b.log"),
        ("mkdir", "d/empty"),
        ("delete", "old"),
        ("replace", "top"),
    ]
    assert files(root / "t") == ["old", "top"]
    assert app.notes == [
        "Nothing was done. Planned: 2 copy, 1 delete, 1 mkdir, 1 replace (9 B to send at most)."
    ]
    with pytest.raises(StorageError, match="1 would not be copied"):
        opai("upload", "tree", "/t", "--dry-run")


def test_sync_failures_can_be_retried(opai: Opai, root: Path, tree: Path) -> None:
    """--failed writes what --files-from reads; only that is tried again."""
    odd = 'odd "name"\nwith a line'
    (root / "t" / "d" / "a.txt").mkdir(parents=True)
    (root / "t" / odd).mkdir()
    (tree / odd).write_text("x")
    with pytest.raises(TransferError, match="2 of 4"):
        opai("upload", "tree", "/t", "--failed", "failed")
    (root / "t" / "d" / "a.txt").rmdir()
    (root / "t" / odd).rmdir()
    (tree / "later").write_text("not asked for")
    opai("upload", "tree", "/t", "--files-from", "failed", "--failed", "failed")
    assert (root / "t" / odd).read_text() == "x"
    assert files(root / "t") == sorted(["d/a.txt", "d/b.log", "d/empty", odd, "top"])
    assert Path("failed").read_text() == ""


def test_sync_untried_files_can_be_retried(
    opai: Opai, root: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the rest was not tried, --failed names the root, so that nothing is left out."""

    def expired(*_: object, **__: object) -> None:
        raise StorageLoginError("The token has expired.")

    with monkeypatch.context() as patch:
        patch.setattr("openpai.core.storage.local.LocalStorage.open_write", expired)
        with pytest.raises(TransferError, match="The rest was not tried"):
            opai("upload", "tree", "/t", "--failed", "failed")
    opai("upload", "tree", "/t", "--files-from", "failed")
    assert files(root / "t") == files(tree)


def test_files_from_names_missing_files(opai: Opai, root: Path, tree: Path) -> None:
    """A listed file that does not exist, or lies outside, fails alone."""
    Path("list").write_text("top\nnone\n../list\n")
    with pytest.raises(TransferError, match="2 of 3"):
        opai("upload", "tree", "/t", "--files-from", "list")
    assert files(root / "t") == ["top"]


def test_copy_within_storage(opai: Opai, root: Path, tree: Path) -> None:
    """A copy goes from one place of storages to another, but not into itself."""
    opai("upload", "tree", "/t")
    opai("copy", "/t", "main:/other/")
    assert files(root / "other" / "t") == files(tree)
    for target in ("/t", "/t/below", "main:/t/d/.."):
        with pytest.raises(StorageError, match="cannot be copied into itself"):
            opai("copy", "/t", target)


def test_check_compares_content(opai: Opai, app: Any, root: Path, tree: Path) -> None:
    """Trees that are the same give exit code 0, others list each difference."""
    opai("upload", "tree", "/t")
    assert json.loads(opai("check", "tree", "main:/t", "-o", "json").stdout) == []
    assert app.notes[-1] == "3 files compared: the same on both sides."
    info = (root / "t" / "d" / "a.txt").stat()
    (root / "t" / "d" / "a.txt").write_text("54321")
    os.utime(root / "t" / "d" / "a.txt", ns=(info.st_mtime_ns, info.st_mtime_ns))
    (root / "t" / "top").write_text("longer")
    (root / "t" / "more").write_text("x")
    (root / "t" / "d" / "b.log").unlink()
    with pytest.raises(StorageError, match="4 of 4 differ"):
        opai("check", "tree", "main:/t", "-o", "json")


def test_check_fast_compares_sizes_and_times(opai: Opai, root: Path, tree: Path) -> None:
    """Times of files that are seconds old count, too; without times only sizes are compared."""
    opai("upload", "tree", "/t")
    opai("check", "tree", "main:/t", "--fast")
    (root / "t" / "top").write_text("2")
    with pytest.raises(StorageError, match="1 of 3 differ"):
        opai("check", "tree", "main:/t", "--fast")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openpai.core.storage.local.LocalStorage.keeps_times", False)
        opai("check", "tree", "main:/t", "--fast")
        (root / "t" / "top").write_text("longer")
        with pytest.raises(StorageError, match="1 of 3 differ"):
            opai("check", "tree", "main:/t", "--fast")


@pytest.mark.parametrize("rate", ["", "x", "-1", "0", "10Q", "infM", "nan"])
def test_rate_limit_refuses_invalid_values(opai: Opai, tree: Path, rate: str) -> None:
    """The error has an example."""
    result = opai("upload", "tree", "/t", "--limit-rate", rate)
    assert (result.exit_code, "invalid rate" in result.output) == (2, True)


def test_rate_limit_applies(opai: Opai, root: Path, tree: Path) -> None:
    """A rate may have a unit."""
    opai("upload", "tree", "/t", "--limit-rate", "10M")
    assert files(root / "t") == files(tree)


def test_bench_leaves_nothing_behind(opai: Opai, root: Path) -> None:
    """A measurement leaves nothing behind."""
    rows = json.loads(opai("bench", "main", "--size", "1", "--files", "3", "-o", "json").stdout)
    assert len(rows) == 6
    assert all(row["filesPerSecond"] > 0 for row in rows)
    assert list(root.iterdir()) == []
