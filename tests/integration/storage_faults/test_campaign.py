"""Whatever happens to line and process, trees arrive bit by bit, and nothing is ever half there.

``OPENPAI_FAULT_SEEDS`` says how many trees go to each storage and back; ``hatch run
test:storage-faults`` sends more than 500 in all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from openpai.core.errors import OpenPaiError
from openpai.core.storage import Storage, is_partial
from openpai.core.transfer import Options, Transfer, local_place

from .backends import Backend
from .line import Fault, FaultyLine

# The libraries of SMB and SFTP complain in threads of their own about lines that are gone.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

SEEDS = int(os.environ.get("OPENPAI_FAULT_SEEDS", "1"))
KINDS = ("cut", "corrupt", "stall", "slow")
TRIES = 12


def plant(folder: Path, dice: random.Random, *, large: bool) -> dict[str, bytes]:
    """Make a tree of files of many sizes; return their contents."""
    sizes = [0, 1, 5_000, *(dice.randrange(20_000, 400_000) for _ in range(4))]
    sizes += [dice.randrange(9 << 20, 20 << 20)] if large else [dice.randrange(1 << 20, 3 << 20)]
    files = {}
    for number, size in enumerate(sizes):
        name = f"d{number % 3}/file {number} ü"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files[name] = dice.randbytes(size)
        path.write_bytes(files[name])
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
    return files


def stored(storage: Storage, root: str) -> dict[str, bytes]:
    """Return the files below a folder of a storage that are no partial ones."""
    if not storage.exists(root):
        return {}
    found = {}
    for entry in storage.walk(root):
        if not entry.is_dir and not any(map(is_partial, entry.path.split("/"))):
            with storage.open_read(entry.path) as stream:
                found[entry.path[len(root) + 1 :]] = stream.read()
    return found


def check_harmless(
    found: dict[str, bytes], before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    """Each file is as it was, as it shall be, or not there, never anything else."""
    for name, content in found.items():
        assert content in (before.get(name), after[name]), f"{name} is neither old nor new"
    assert not before.keys() - found.keys(), "what was there is gone"


def faults(dice: random.Random, kind: str, upwards: bool) -> list[Fault]:
    """Draw some faults that befall the bytes of files."""
    return [
        Fault(kind, upwards, dice.randrange(2_000, 1_500_000)) for _ in range(dice.randint(1, 4))
    ]


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["s3", "sftp", "azureBlob", "samba", "hdfs"])
@pytest.mark.timeout(240)
def test_faulty_lines(
    make_backend: Callable[[str], Backend],
    figures: Callable[[str, str, int, int], None],
    tmp_path: Path,
    name: str,
    seed: int,
) -> None:
    """A tree goes up and comes back over lines that are cut, stall, corrupt or trickle."""
    dice = random.Random(f"{name} {seed}")
    backend = make_backend(name)
    kind = KINDS[(seed + len(name)) % len(KINDS)]
    if kind == "corrupt" and not backend.notices_corruption:
        kind = "cut"
    source, back = tmp_path / "source", tmp_path / "back"
    after = plant(source, dice, large=dice.random() < 0.5)
    before = dict.fromkeys(dice.sample(sorted(after), 2), b"old")
    with backend.open() as clean:
        for path, content in before.items():
            with clean.open_write(f"/t/{path}") as stream:
                stream.write(content)
        for upwards in (True, False):
            with ExitStack() as stack:
                drawn = faults(dice, kind, upwards)
                lines = [FaultyLine(*server, drawn) for server in backend.servers]
                for line in lines:
                    stack.callback(line.close)
                faulty = stack.enter_context(backend.open([line.port for line in lines]))
                ours, theirs = local_place(source), (faulty, "/t")
                if not upwards:
                    ours, theirs = (faulty, "/t"), local_place(back)
                again = 0
                while not copied(ours, theirs, seed):
                    again += 1
                    assert again < TRIES, "it does not come to an end"
                    found = stored(clean, "/t") if upwards else here(back)
                    check_harmless(found, before if upwards else {}, after)
                figures(name, kind, sum(len(line.fired) for line in lines), again)
        assert stored(clean, "/t") == after
    assert here(back) == after
    left = [path.name for path in back.rglob("*") if is_partial(path.name)]
    assert left == []


def copied(ours: tuple[Storage, str], theirs: tuple[Storage, str], seed: int) -> bool:
    """Copy once; return whether all arrived. Half of the trees have no retries to help them."""
    options = Options(overwrite=True, retries=4 if seed % 2 else 0, threads=4)
    try:
        Transfer(*ours, *theirs, options).run()
    except (OpenPaiError, OSError):
        return False
    return True


def here(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder that are no partial ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not is_partial(path.name)
    }


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["folder", "s3", "sftp", "azureBlob", "samba", "hdfs"])
@pytest.mark.timeout(240)
def test_killed(
    make_backend: Callable[[str], Backend],
    figures: Callable[[str, str, int, int], None],
    tmp_path: Path,
    name: str,
    seed: int,
) -> None:
    """``opai storage`` is killed (-9) half way, harms nothing, and the same command ends it."""
    dice = random.Random(f"killed {name} {seed}")
    backend = make_backend(name)
    source, back = tmp_path / "source", tmp_path / "back"
    after = plant(source, dice, large=True)
    upwards = seed % 2 == 0
    before = dict.fromkeys(dice.sample(sorted(after), 2), b"old") if upwards else {}
    with ExitStack() as stack:
        clean = stack.enter_context(backend.open())
        if not upwards:
            Transfer(*local_place(source), clean, "/t").run()
        for path, content in before.items():
            with clean.open_write(f"/t/{path}") as stream:
                stream.write(content)
        lines = [FaultyLine(*server) for server in backend.servers]
        for line in lines:
            stack.callback(line.close)
        spec = backend.rerouted([line.port for line in lines])
        home = Path(os.environ["OPENPAI_HOME"])
        home.mkdir(exist_ok=True)
        item = {"name": "main", "type": spec.type, "mount_path": spec.mount_path, **spec.data}
        (home / "storages.yaml").write_text(yaml.safe_dump([item]))
        places = [str(source), "main:/t"] if upwards else ["main:/t", str(back)]
        command = [sys.executable, "-m", "openpai.cli", "storage", "sync", *places]
        kills = 0
        for _ in range(dice.randint(1, 2)):
            kills += kill_in_the_middle(command, dice, lines, back if not upwards else None, clean)
            found = stored(clean, "/t") if upwards else here(back)
            check_harmless(found, before, after)
        carried = sum(line.carried + line.returned for line in lines)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, done.stderr
        figures(name, "kill -9", kills, kills)
        assert stored(clean, "/t") == after
        if not upwards:
            assert here(back) == after
        total = sum(map(len, after.values()))
        last = sum(line.carried + line.returned for line in lines) - carried
        assert last < 1.2 * total + 500_000, "more was sent than there is"


def kill_in_the_middle(
    command: list[str],
    dice: random.Random,
    lines: list[FaultyLine],
    back: Path | None,
    clean: Storage,
) -> int:
    """Start a command and kill it once some bytes have moved; return 0 if it was done before."""

    def moved() -> int:
        if lines:
            return sum(line.carried + line.returned for line in lines)
        folder = back or Path(clean.where("/").partition(":")[2])
        root = folder if back else Path(clean.root)  # type: ignore[attr-defined]
        return sum(p.stat().st_blocks * 512 for p in root.rglob("*") if p.exists())

    limit = moved() + dice.randrange(200_000, 8_000_000)
    with subprocess.Popen(
        [*command, "--limit-rate", "12M"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and moved() < limit:
            time.sleep(0.01)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    return int(process.returncode == -signal.SIGKILL)
