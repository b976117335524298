"""What a transfer leaves out by ignore files is what git ignores."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import Options, Selection, Transfer, local_place

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("git") is None, reason="git says what is right"),
]

PATHS = ["a", "b.txt", "c d", "x/a", "x/b.txt", "x/y/a", "x/y/é", "z/keep", "z/y/b.txt"]
PIECES = [
    "a",
    "b",
    "x",
    "y",
    "z",
    "keep",
    "*",
    "**",
    "?",
    "/",
    "!",
    ".txt",
    "[a-c]",
    " ",
    "\\",
    "#",
]
FILES = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=4).map(
    "\n".join
)


def git_takes(root: Path) -> set[str]:
    """Return the files that git would add."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(root.parent), "GIT_CONFIG_NOSYSTEM": "1"},
    ).stdout.decode()
    return set(filter(None, listed.split("\0")))


@settings(max_examples=60, deadline=None)
@given(top=FILES, inner=FILES)
def test_selection_matches_git(top: str, inner: str) -> None:
    """Ignore files of any folder count as they do for git, whatever storage they come from."""
    with tempfile.TemporaryDirectory() as place:
        root, target = Path(place, "tree"), Path(place, "target")
        for name in PATHS:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"")
        target.mkdir()
        (root / ".gitignore").write_text(top)
        (root / "x" / ".gitignore").write_text(inner)
        subprocess.run(["git", "init", "-q", str(root)], check=True)
        selection = Selection.of(ignore_files=[".gitignore"], exclude=["/.git"])
        plan = Transfer(
            *local_place(root), LocalStorage(target), "/t", Options(selection=selection)
        )
        assert {step.path for step in plan.plan() if step.action == "copy"} == git_takes(root)
