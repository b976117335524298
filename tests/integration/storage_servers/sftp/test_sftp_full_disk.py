"""The disk of a real SSH server is really full, or really read-only."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import pytest

from openpai.core.storage.transfer.transfer import TransferError, upload
from openpai.storage.testing.helpers import read, write


def test_full_disk_is_named(attached, sshd, disk: Path, tmp_path: Path) -> None:
    """What finds no room is named as that and leaves none of its parts; with room it arrives."""
    storage = attached(uri=f"sftp://127.0.0.1:{sshd.port}{disk}")
    write(storage, "/t/changed", b"old")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "changed").write_bytes(bytes(5 << 20))
    (tree / "large").write_bytes(b"x" * (20 << 20))
    (tree / "small").write_bytes(b"x")
    with pytest.raises(TransferError) as caught:
        upload(storage, tree, "/t", overwrite=True)
    failed = {item.path: (item.error.errno, item.where) for item in caught.value.failed}
    assert failed["large"] == (errno.ENOSPC, "main:/t/large")
    assert failed["changed"] == (errno.ENOSPC, "main:/t/changed")
    assert read(storage, "/t/changed") == b"old"
    assert {path.name for path in (disk / "t").iterdir()} <= {"changed", "small"}
    (tree / "large").unlink()
    (tree / "changed").write_bytes(bytes(1 << 20))
    upload(storage, tree, "/t", overwrite=True)
    assert read(storage, "/t/changed") == bytes(1 << 20)


def test_read_only_disk_is_named(attached, sshd, disk: Path) -> None:
    """A disk that the server may only read is called that, and not full."""
    storage = attached(uri=f"sftp://127.0.0.1:{sshd.port}{disk}")
    write(storage, "/file", b"old")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for act in (
        lambda: write(storage, "/file", b"new"),
        lambda: storage.mkdir("/folder"),
        lambda: storage.delete("/file"),
    ):
        with pytest.raises(PermissionError, match="Read-only file system: 'main:/"):
            act()
    assert read(storage, "/file") == b"old"
