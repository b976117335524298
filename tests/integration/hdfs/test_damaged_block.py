"""A block that is damaged on the disk of a real data node is never taken for the file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from support.servers.hdfs import BLOCK

SIZES = {"small": 20_000, "medium": 900_000, "large": 10 << 20}


def blocks(hdfs, content: bytes) -> Iterator[Path]:
    """Yield the block files on the disks of the data nodes that hold a block of a content."""
    wanted = {content[at : at + BLOCK] for at in range(0, len(content), BLOCK)}
    for name in ("dn0", "dn1"):
        for path in (hdfs.folder / name).rglob("blk_*"):
            with suppress(FileNotFoundError):  # the data node deletes blocks of other tests' files
                if path.suffix != ".meta" and path.read_bytes() in wanted:
                    yield path


def damage(path: Path, dice: random.Random) -> None:
    """Turn over one bit, as a disk does that ages."""
    size = path.stat().st_size
    with path.open("r+b") as block:
        at = dice.randrange(size)
        block.seek(at)
        byte = block.read(1)[0] ^ (1 << dice.randrange(8))
        block.seek(at)
        block.write(bytes([byte]))


def test_download_names_damaged_files(opai, attach, hdfs, spec) -> None:
    """Each damaged file is named, an older copy of it stays, and the others arrive."""
    dice = random.Random(0)
    attach(spec)
    tree, back = opai.folder / "tree", opai.folder / "back"
    for place in (tree, back):
        place.mkdir()
    for name, size in SIZES.items():
        (tree / name).write_bytes(dice.randbytes(size))
        (back / name).write_text("older")
    (tree / "good").write_text("good")
    opai("storage", "upload", "tree", "main:/t")
    for name in SIZES:
        damage(dice.choice(sorted(blocks(hdfs, (tree / name).read_bytes()))), dice)
    output = opai("storage", "download", "main:/t", "back", "--retries", "0", code=1).stderr
    assert "error: 3 of 4 were not copied" in output
    for name in SIZES:
        assert f"main:/t/{name}: HDFS stopped sending, " in output
        assert (back / name).read_text() == "older"
    assert "hint: Try again; if it fails again, check for damaged blocks" in output
    assert (back / "good").read_text() == "good"
