"""Plans to and from a store that keeps no times, and tells them otherwise in listings."""

from __future__ import annotations

import pytest
from support.trees import read_tree


@pytest.fixture
def main(opai, attach, moto, bucket):
    """Attach the bucket as ``main``; return the folder that is to be copied there."""
    attach(moto.spec(bucket), "secret_key")
    tree = opai.folder / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "d" / "file").write_text("x")
    (tree / "large").write_bytes(b"x" * (9 << 20))  # more than one part
    return tree


def test_plan_is_applied_once(opai, main) -> None:
    """A plan is done, done once more without sending anything, and the same the other way."""
    for source, target in (("tree", "main:/t"), ("main:/t", "back")):
        opai("storage", "sync", source, target, "--plan", "plan")
        opai("storage", "sync", source, target, "--apply", "plan")
        again = opai("storage", "sync", source, target, "--apply", "plan")
        assert "0 files copied (0 B), 2 files unchanged." in again.stderr
    assert read_tree(opai.folder / "back") == read_tree(main)
    (main / "d" / "file").write_text("y")
    opai("storage", "sync", "tree", "main:/t", "--plan", "plan")
    opai("storage", "sync", "tree", "main:/t", "--apply", "plan")
    assert opai("storage", "cat", "main:/t/d/file").stdout == "y"
