"""``opai storage`` where a disk of this machine is really full, on either side."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from support.trees import make_tree

from openpai.core.storage.base import StorageSpec

FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_full_disk_is_named(opai, attach, disk: Path, tmp_path: Path, direction: str) -> None:
    """Each file without room is named and listed; with room the list brings the rest."""
    source, target = tmp_path / "source", disk / "target"
    if direction == "up":
        attach(StorageSpec("main", "nfs", {}, mount_path=str(disk)))
        command = ("storage", "upload", str(source), "main:/target")
    else:
        attach(StorageSpec("main", "nfs", {}, mount_path=str(tmp_path)))
        command = ("storage", "download", "main:/source", str(target))
    make_tree(source, {"d/small": b"x", "large": 20 << 20, "whole": 5 << 20})
    output = opai(*command, "--failed", "failed", code=1).stderr
    names = set((opai.folder / "failed").read_text().split())
    assert {"large", "whole"} <= names <= {"large", "whole", "d/small"}
    for name in names:
        assert f"target/{name}: {FULL}\n" in output
    assert {path.name for path in target.rglob("*")} <= {"d", "small"}
    for name in ("large", "whole"):
        (source / name).write_bytes(b"y" * (1 << 20))
    opai(*command, "--files-from", "failed")
    opai("storage", "check", str(source), str(target))
