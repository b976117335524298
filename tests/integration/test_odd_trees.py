"""Names, times, permission bits and holes of a tree survive on a folder and over a network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.trees import make_tree

from openpai.core.storage.base import StorageSpec

NAMES = (
    *(b"new\nline", b"caf\xe9", b"caf\xc3\xa9", b"\x1b[31m", b"\x01", b"tab\tname", b"cr\r"),
    *(b"-rf", b" a ", b"~", b"a" * 255, b"back\\slash", b"co:lon", b'quo"te', b"it's", b"%20"),
    *(b"#", b"a?b*", b"a&b+c", b"dot.", b".hidden", b"$HOME", b"`id`", b"\xf0\x9f\x98\x80"),
    *(b"deep/" + b"d" * 200 + b"/" + b"e" * 200 + b"/file", b"NAME:", b"{json}", b"null"),
)


def make_odd_tree(root: Path) -> None:
    """Make the tree."""
    files = {os.fsdecode(name): bytes(number) for number, name in enumerate(NAMES)}
    make_tree(root, {**files, "empty/deeper": None, "only\nfolder": None})
    for number, name in enumerate(files):
        (root / name).chmod(0o600 + number % 64)
    with (root / "holes").open("wb") as stream:
        stream.truncate(20 << 20)
        stream.seek(9 << 20)
        stream.write(b"something")
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(0, 1_600_000_000_123_456_000))


def look(root: Path, unit: int) -> dict[str, object]:
    """Return what is there: of a file its content, bits and time in units of nanoseconds."""
    found: dict[str, object] = {}
    for path in root.rglob("*"):
        info = path.stat()
        kept = path.is_file() and (
            hash(path.read_bytes()),
            info.st_mode,
            info.st_mtime_ns // unit,
        )
        found[str(path.relative_to(root))] = kept
    return found


@pytest.mark.parametrize("kind", ["folder", "sftp"])
def test_odd_tree_survives(opai, attach, request, tmp_path: Path, kind: str) -> None:
    """Everything comes back as it was, the second time nothing is sent, and the list is read."""
    served = tmp_path / "served"
    served.mkdir()
    if kind == "folder":
        spec = StorageSpec("main", "nfs", {}, mount_path=str(served))
    else:
        spec = request.getfixturevalue("sshd").spec(served)
    attach(spec)
    tree, back = opai.folder / "tree", opai.folder / "back"
    make_odd_tree(tree)
    opai("storage", "upload", "tree", "main:/tree")
    assert "0 files copied" in opai("storage", "upload", "tree", "main:/tree").stderr
    opai("storage", "check", "tree", "main:/tree")
    opai("storage", "download", "main:/tree", "back")
    unit = 1000 if kind == "folder" else 1_000_000_000  # SFTP keeps whole seconds
    assert look(back, unit) == look(tree, unit)
    assert (back / "holes").stat().st_blocks * 512 < 10 << 20
    listed = opai("storage", "list", "-r", "main:/tree").stdout
    assert "\x1b" not in listed
    assert "\x01" not in listed
    opai("storage", "delete", "-r", "main:/tree")
    assert list(served.iterdir()) == []
