"""What an output's path or glob stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpai.runtime.outputs.glob import find

FILES = (
    "a.pt",
    ".env",
    ".git/config",
    "[x].txt",
    "ckpt/1.pt",
    "ckpt/.hidden",
    "ckpt/deep/2.pt",
    "logs/deep/down/e.log",
)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory with some files."""
    for name in FILES:
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "work"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.pt", ["a.pt"]),
        ("./a.pt", ["a.pt"]),
        ("nothing", []),
        ("*.pt", ["a.pt"]),
        ("?.pt", ["a.pt"]),
        ("[ab].pt", ["a.pt"]),
        ("[[]x].txt", ["[x].txt"]),
        ("**/*.pt", ["a.pt", "ckpt/1.pt", "ckpt/deep/2.pt"]),
        ("ckpt/*", ["ckpt/1.pt", "ckpt/deep/2.pt"]),
        ("ckpt", ["ckpt/.hidden", "ckpt/1.pt", "ckpt/deep/2.pt"]),
        ("ckpt/", ["ckpt/.hidden", "ckpt/1.pt", "ckpt/deep/2.pt"]),
        ("ckpt/**", ["ckpt/.hidden", "ckpt/1.pt", "ckpt/deep/2.pt"]),
        ("**/deep", ["ckpt/deep/2.pt", "logs/deep/down/e.log"]),
        ("**/down/*.log", ["logs/deep/down/e.log"]),
        ("logs/**/e.log", ["logs/deep/down/e.log"]),
        (
            "*",
            [
                "[x].txt",
                "a.pt",
                "ckpt/.hidden",
                "ckpt/1.pt",
                "ckpt/deep/2.pt",
                "logs/deep/down/e.log",
            ],
        ),
        (".env", [".env"]),
        (".*", [".env", ".git/config"]),
        (".", sorted(FILES)),
        ("**", sorted(FILES)),
    ],
)
def test_pattern_finds_files(work: Path, pattern: str, expected: list[str]) -> None:
    """Globs work part by part, ** at any depth; a folder stands for all that is in it."""
    assert sorted(find(work, pattern).files) == sorted(expected)


def test_pattern_reports_sizes(work: Path) -> None:
    """Each file comes with its size in bytes."""
    assert find(work, "a.pt").files == {"a.pt": 4}


def test_pattern_follows_link_inside_folder(work: Path) -> None:
    """What it leads to is saved under the link's name."""
    (work / "latest").symlink_to("ckpt/deep")
    (work / "best.pt").symlink_to("a.pt")
    assert list(find(work, "latest").files) == ["latest/2.pt"]
    assert find(work, "best.pt").files == {"best.pt": 4}


@pytest.mark.parametrize("pattern", ["out", "out/*", "out/secret", "**/*"])
def test_pattern_refuses_folder_link_outside(work: Path, pattern: str) -> None:
    """Nothing outside of the working directory is saved, and it is reported."""
    (work.parent / "other").mkdir()
    (work.parent / "other/secret").write_text("x")
    (work / "out").symlink_to("../other")
    found = find(work, pattern)
    assert not [path for path in found.files if path.startswith("out")]
    assert found.refused == ["out"]


@pytest.mark.parametrize("target", ["../other/secret", "nowhere", "/etc/passwd"])
def test_pattern_refuses_file_link_outside(work: Path, target: str) -> None:
    """Such a link is named, not saved."""
    (work / "ckpt/link").symlink_to(target)
    found = find(work, "ckpt")
    assert "ckpt/link" not in found.files
    assert found.refused == ["ckpt/link"]


def test_pattern_ends_at_circular_link(work: Path) -> None:
    """A folder that holds a link to itself is walked once."""
    (work / "ckpt/loop").symlink_to(".")
    (work / "ckpt/up").symlink_to("..")
    assert "ckpt/1.pt" in find(work, "ckpt").files
    assert not [path for path in find(work, "ckpt").files if path.startswith("ckpt/loop")]


def test_pattern_skips_pipes_and_sockets(work: Path) -> None:
    """Only regular files are outputs."""
    import os

    os.mkfifo(work / "ckpt/pipe")
    assert "ckpt/pipe" not in find(work, "ckpt").files
