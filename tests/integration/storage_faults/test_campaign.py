"""Trees arrive whole, whatever happens to connections and processes; no file is ever half there.

``OPENPAI_FAULT_SEEDS`` says how many trees go to each storage and back; ``hatch run
test:storage-faults`` sends more than 500 in all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from support.proxy import Fault, FaultProxy
from support.trees import make_tree, read_tree, spread
from support.wait import wait_until

from openpai.core.errors import OpenPaiError
from openpai.core.storage.base import Storage
from openpai.core.storage.temp_files import is_partial
from openpai.core.storage.transfer.transfer import Options, Transfer, local_place

from .backends import Backend

# The libraries of SMB and SFTP warn in threads of their own of connections that are gone.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

SEEDS = int(os.environ.get("OPENPAI_FAULT_SEEDS", "1"))
KINDS = ("cut", "corrupt", "stall", "slow")
TRIES = 12


def sizes_of(dice: random.Random, *, large: bool) -> list[int]:
    """Draw the sizes of files of a tree."""
    sizes = [0, 1, 5_000, *(dice.randrange(20_000, 400_000) for _ in range(4))]
    return [
        *sizes,
        dice.randrange(9 << 20, 20 << 20) if large else dice.randrange(1 << 20, 3 << 20),
    ]


def stored(storage: Storage, root: str) -> dict[str, bytes]:
    """Return the files below a folder of a storage that are whole."""
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
    """Draw some faults for the bytes of files."""
    return [
        Fault(kind, dice.randrange(2_000, 1_500_000), upwards) for _ in range(dice.randint(1, 4))
    ]


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["s3", "sftp", "azureBlob", "samba", "hdfs"])
@pytest.mark.timeout(240)
def test_tree_arrives_over_faulty_connections(
    make_backend: Callable[[str], Backend],
    figures: Callable[[str, str, int, int], None],
    tmp_path: Path,
    name: str,
    seed: int,
) -> None:
    """A tree goes up and comes back over connections that are cut, stall, corrupt or trickle."""
    dice = random.Random(f"{name} {seed}")
    backend = make_backend(name)
    kind = KINDS[(seed + len(name)) % len(KINDS)]
    if kind == "corrupt" and not backend.notices_corruption:
        kind = "cut"
    source, back = tmp_path / "source", tmp_path / "back"
    after = make_tree(source, spread(sizes_of(dice, large=dice.random() < 0.5)), seed)
    before = dict.fromkeys(dice.sample(sorted(after), 2), b"old")
    with backend.open() as clean:
        for path, content in before.items():
            with clean.open_write(f"/t/{path}") as stream:
                stream.write(content)
        for upwards in (True, False):
            with ExitStack() as stack:
                drawn = faults(dice, kind, upwards)
                ways = [stack.enter_context(FaultProxy(at, drawn)) for at in backend.ports]
                faulty = stack.enter_context(backend.open([way.port for way in ways]))
                ours, theirs = local_place(source), (faulty, "/t")
                if not upwards:
                    ours, theirs = (faulty, "/t"), local_place(back)
                again = 0
                while not copied(ours, theirs, seed):
                    again += 1
                    assert again < TRIES, "it does not come to an end"
                    found = stored(clean, "/t") if upwards else read_tree(back)
                    check_harmless(found, before if upwards else {}, after)
                figures(name, kind, sum(len(way.fired) for way in ways), again)
        assert stored(clean, "/t") == after
    assert read_tree(back) == after
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


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["folder", "s3", "sftp", "azureBlob", "samba", "hdfs"])
@pytest.mark.timeout(240)
def test_killed_transfer_is_completed(
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
    after = make_tree(source, spread(sizes_of(dice, large=True)), seed)
    upwards = seed % 2 == 0
    before = dict.fromkeys(dice.sample(sorted(after), 2), b"old") if upwards else {}
    with ExitStack() as stack:
        clean = stack.enter_context(backend.open())
        if not upwards:
            Transfer(*local_place(source), clean, "/t").run()
        for path, content in before.items():
            with clean.open_write(f"/t/{path}") as stream:
                stream.write(content)
        ways = [stack.enter_context(FaultProxy(at)) for at in backend.ports]
        spec = backend.rerouted([way.port for way in ways])
        home = Path(os.environ["OPENPAI_HOME"])
        home.mkdir(exist_ok=True)
        item = {"name": "main", "type": spec.type, "mount_path": spec.mount_path, **spec.data}
        (home / "storages.yaml").write_text(yaml.safe_dump([item]))
        places = [str(source), "main:/t"] if upwards else ["main:/t", str(back)]
        command = [sys.executable, "-m", "openpai.cli", "storage", "sync", *places]
        kills = 0
        for _ in range(dice.randint(1, 2)):
            kills += kill_in_the_middle(command, dice, ways, back if not upwards else None, clean)
            found = stored(clean, "/t") if upwards else read_tree(back)
            check_harmless(found, before, after)
        carried = sum(way.sent + way.returned for way in ways)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, done.stderr
        figures(name, "kill -9", kills, kills)
        assert stored(clean, "/t") == after
        if not upwards:
            assert read_tree(back) == after
        total = sum(map(len, after.values()))
        last = sum(way.sent + way.returned for way in ways) - carried
        assert last < 1.2 * total + 500_000, "more was sent than there is"


def kill_in_the_middle(
    command: list[str],
    dice: random.Random,
    ways: list[FaultProxy],
    back: Path | None,
    clean: Storage,
) -> int:
    """Start a command and kill it once some bytes have moved; return 0 if it was done before."""

    def moved() -> int:
        if ways:
            return sum(way.sent + way.returned for way in ways)
        folder = back or Path(clean.where("/").partition(":")[2])
        root = folder if back else Path(clean.root)  # type: ignore[attr-defined]
        return sum(p.stat().st_blocks * 512 for p in root.rglob("*") if p.exists())

    limit = moved() + dice.randrange(200_000, 8_000_000)
    with subprocess.Popen(
        [*command, "--limit-rate", "12M"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        wait_until(lambda: process.poll() is not None or moved() >= limit, timeout=200)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    return int(process.returncode == -signal.SIGKILL)
