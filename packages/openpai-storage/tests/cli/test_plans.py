"""``--plan`` and ``--apply``: what was planned is done later, once, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from support.trees import files

from openpai.core.errors import StorageError
from openpai.core.storage.transfer.transfer import TransferError

Opai = Callable[..., Any]


def lines(result: Any) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_plan_can_be_applied_later(opai: Opai, root: Path, tree: Path) -> None:
    """--apply does what --plan wrote, and only where things are still as they were."""
    (root / "t").mkdir()
    (root / "t" / "old").write_text("x")
    opai("sync", "tree", "main:/t", "--delete", "--plan", "plan.jsonl")
    assert files(root / "t") == ["old"]
    (tree / "new").write_text("not in the plan")
    (tree / "top").write_text("changed since")
    with pytest.raises(TransferError, match=r"top: changed since the plan was made\. Write a new"):
        opai("sync", "tree", "main:/t", "--delete", "--apply", "plan.jsonl")
    assert files(root / "t") == ["d/a.txt", "d/b.log", "d/empty", "old"]
    opai("sync", "tree", "main:/t", "--delete", "--plan", "plan.jsonl")
    opai("sync", "tree", "main:/t", "--delete", "--apply", "plan.jsonl")
    assert files(root / "t") == files(tree)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a plan"),
        ("{}\n", "is not a plan"),
        ('{"plan": 1, "source": "/x", "target": "main:/t"}\n', "is the plan from /x to main:/t"),
    ],
)
def test_plan_refuses_invalid_file(opai: Opai, tree: Path, text: str, reason: str) -> None:
    """Other files, and plans for other places, are refused."""
    Path("plan").write_text(text)
    with pytest.raises(StorageError, match=reason):
        opai("upload", "tree", "/t", "--apply", "plan")


@pytest.fixture
def planned(opai: Opai, root: Path, tree: Path) -> list[str]:
    """Return the lines of a plan to bring the tree to ``/t``, which has another ``top``."""
    (root / "t").mkdir()
    (root / "t" / "top").write_text("another")
    opai("sync", "tree", "main:/t", "--plan", "plan")
    return Path("plan").read_text().splitlines()


def _apply(opai: Opai, lines: list[str]) -> Any:
    Path("plan").write_text("".join(f"{line}\n" for line in lines))
    return opai("sync", "tree", "main:/t", "--apply", "plan")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '{"steps": 99}',
        '{"action": "copy"}',
        '{"action": "copy", "path": 5, "modified": null, %s}',
        '{"action": "copy", "path": "../../etc/passwd", "modified": null, %s}',
        '{"action": "copy", "path": "top", "modified": "noon", %s}',
        '{"action": "explode", "path": "top", "modified": null, %s}',
    ],
)
def test_plan_refuses_broken_step(opai: Opai, root: Path, planned: list[str], line: str) -> None:
    """An invalid line is named before anything is done."""
    line = line.replace("%s", '"isDir": false, "size": 1, "found": null')
    with pytest.raises(StorageError, match="line 3 is not a step; nothing is done"):
        _apply(opai, [*planned[:2], line, *planned[2:]])
    assert files(root / "t") == ["top"]


def test_plan_refuses_truncated_file(opai: Opai, root: Path, planned: list[str]) -> None:
    """A plan that was cut short is not done, wherever it was cut."""
    whole = "".join(f"{line}\n" for line in planned)
    first = len(planned[0]) + 1
    for size in (first, first + 10, first + len(planned[1]) + 1, len(whole) - 5):
        Path("plan").write_text(whole[:size])
        with pytest.raises(StorageError, match=r"breaks off|is not a step"):
            opai("sync", "tree", "main:/t", "--apply", "plan")
    with pytest.raises(StorageError, match="is not a plan"):
        _apply(opai, [planned[0][:-5]])
    assert files(root / "t") == ["top"]


def test_plan_continues_after_interruption(
    opai: Opai, app: Any, root: Path, tree: Path, planned: list[str]
) -> None:
    """What a run of the plan did that was cut is not done again; a third run finds all there."""
    (root / "t" / "d").mkdir()
    (root / "t" / "d" / "a.txt").write_text("12345")  # as if copied, at another time
    _apply(opai, planned)
    assert files(root / "t") == files(tree)
    assert app.notes[-1] == "2 files copied (4 B), 1 file unchanged."
    _apply(opai, planned)
    assert app.notes[-1] == "0 files copied (0 B), 3 files unchanged."


def test_plan_keeps_newer_changes(opai: Opai, root: Path, planned: list[str]) -> None:
    """What appeared or changed at the target since the plan was made stays as it is."""
    (root / "t" / "top").write_text("news")
    (root / "t" / "d").mkdir()
    (root / "t" / "d" / "a.txt").write_text("other")  # of the same size
    with pytest.raises(TransferError, match=r"2 of 3.*changed since the plan was made"):
        _apply(opai, planned)
    assert (root / "t" / "top").read_text() == "news"
    assert (root / "t" / "d" / "a.txt").read_text() == "other"
    assert (root / "t" / "d" / "b.log").read_text() == "log"


def test_plan_applies_deletions(opai: Opai, root: Path, tree: Path) -> None:
    """A missing file is not a failure, and a changed one is not deleted."""
    for name in ("gone", "changed", "old"):
        (root / "t").mkdir(exist_ok=True)
        (root / "t" / name).write_text("x")
    opai("sync", "tree", "main:/t", "--delete", "--plan", "plan")
    (root / "t" / "gone").unlink()
    (root / "t" / "changed").write_text("something new")
    with pytest.raises(TransferError, match="changed since"):
        opai("sync", "tree", "main:/t", "--delete", "--apply", "plan")
    assert (root / "t" / "old").exists(), "nothing is deleted after a failure"
    (root / "t" / "changed").write_text("x")
    opai("sync", "tree", "main:/t", "--delete", "--plan", "plan")
    opai("sync", "tree", "main:/t", "--delete", "--apply", "plan")
    assert files(root / "t") == files(tree)
