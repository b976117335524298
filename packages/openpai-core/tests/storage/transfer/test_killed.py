"""A transfer that is killed leaves no half file under its name, and goes on when run again."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from openpai.core.storage.local import LocalStorage
from openpai.core.storage.temp_files import is_partial
from openpai.core.storage.transfer.transfer import upload

pytestmark = pytest.mark.process

SLOW_UPLOAD = """
import sys
from pathlib import Path
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import upload
budget = int(sys.argv[3])
def count(size):
    global budget
    budget -= size
    if budget < 0:
        print("now", flush=True)
        sys.stdin.read()
upload(LocalStorage(Path(sys.argv[2])), Path(sys.argv[1]), "/t", on_bytes=count)
"""


@pytest.mark.parametrize("seed", range(5))
def test_killed_upload_is_completed_by_next_run(
    tmp_path: Path, picture: Callable[[Path], object], seed: int
) -> None:
    """After ``kill -9`` all files are whole or absent; the second run completes the tree."""
    dice = random.Random(seed)
    source, root = tmp_path / "source", tmp_path / "root"
    source.mkdir()
    root.mkdir()
    for number in range(8):
        size = dice.choice([10, 1 << 20, 3 << 20])
        (source / str(number)).write_bytes(dice.getrandbits(8 * size).to_bytes(size, "big"))
    total = sum(path.stat().st_size for path in source.iterdir())
    arguments = [str(source), str(root), str(dice.randrange(total))]
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_UPLOAD, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"now\n"
        process.kill()
    for path in (root / "t").iterdir():
        assert is_partial(path.name) or path.read_bytes() == (source / path.name).read_bytes()
    unchanged = [item.unchanged for item in upload(LocalStorage(root), source, "/t")]
    assert False in unchanged
    for path in (root / "t").iterdir():
        if is_partial(path.name):
            path.unlink()
    assert picture(root / "t") == picture(source)
