"""The disk of a real Samba server is really full."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpai.core.storage.transfer.transfer import TransferError, upload
from openpai.storage.testing.helpers import read, write


@pytest.fixture
def full(disk: Path, smbd, folder: str) -> Iterator[Path]:
    """The disk as a folder of the share."""
    place = smbd.root / folder / "disk"
    place.mkdir()
    subprocess.run(["mount", "--bind", str(disk), str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_full_disk_is_named(storage, full: Path, tmp_path: Path) -> None:
    """What finds no room is named as that and leaves none of its parts; with room it arrives."""
    write(storage, "/disk/t/changed", b"old")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "changed").write_bytes(bytes(5 << 20))
    (tree / "large").write_bytes(b"x" * (20 << 20))
    (tree / "small").write_bytes(b"x")
    with pytest.raises(TransferError) as caught:
        upload(storage, tree, "/disk/t", overwrite=True)
    failed = {item.path: (item.error.errno, item.where) for item in caught.value.failed}
    assert failed["large"] == (errno.ENOSPC, "main:/disk/t/large")
    assert failed["changed"] == (errno.ENOSPC, "main:/disk/t/changed")
    assert read(storage, "/disk/t/changed") == b"old"
    assert {path.name for path in (full / "t").iterdir()} <= {"changed", "small"}
    (tree / "large").unlink()
    (tree / "changed").write_bytes(bytes(1 << 20))
    upload(storage, tree, "/disk/t", overwrite=True)
    assert read(storage, "/disk/t/changed") == bytes(1 << 20)
