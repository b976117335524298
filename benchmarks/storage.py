"""Copies from folder to folder: times against `cp -r` and `rsync -a`, and memory.

One large file, many small ones, an unchanged tree a second time; then the peak of memory for 10 GiB
(sparse, so that no disk is needed) and for very many files, and the time to list and plan them.
Every copy is a process of its own, so the start of Python is part of ours. The page cache is warm:
what is measured is the program. The best of all rounds counts, and the seconds of the processor are
shown, for a machine that others use, too.

    python benchmarks/storage.py [--size MIB] [--files N] [--unchanged N] [--many N]
                                 [--entries N] [--rounds N] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

OURS = """
import sys
from pathlib import Path
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import Transfer, local_place
target = Path(sys.argv[2])
Transfer(*local_place(Path(sys.argv[1])), LocalStorage(target.parent), target.name).run(keep=False)
"""

LIST = """
import sys
from pathlib import Path
from openpai.core.storage.local import LocalStorage
for _ in LocalStorage(Path(sys.argv[1])).walk("/"):
    pass
"""
PLAN = """
import sys
from pathlib import Path
from openpai.core.storage.local import LocalStorage
from openpai.core.storage.transfer.transfer import Transfer, local_place
target = Path(sys.argv[2])
plan = Transfer(*local_place(Path(sys.argv[1])), LocalStorage(target.parent), target.name).plan()
for _ in plan:
    pass
"""


def ours(source: Path, target: Path) -> list[str]:
    """Return the command that copies with this project."""
    return [sys.executable, "-c", OURS, str(source), str(target)]


def cp(source: Path, target: Path) -> list[str]:
    """Return the command that copies with cp, times and modes included."""
    return ["cp", "-a", str(source), str(target)]


def rsync(source: Path, target: Path) -> list[str]:
    """Return the command that copies with rsync."""
    return ["rsync", "-a", f"{source}/" if source.is_dir() else str(source), str(target)]


PROGRAMS = {"ours": ours, "cp -a": cp, "rsync -a": rsync}


class Cost(NamedTuple):
    """What a command took: wall seconds, CPU seconds and peak memory in MiB."""

    seconds: float
    processor: float
    memory: float


def run(command: list[str]) -> Cost:
    """Run a command."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def programs(*wanted: str) -> list[str]:
    """Return those that are on this machine."""
    return [name for name in wanted if name == "ours" or shutil.which(name.split()[0])]


def best(found: list[Cost]) -> Cost:
    """Return the least of each."""
    return Cost(*map(min, zip(*found, strict=True)))


def compare(what: str, source: Path, rounds: int, unit: Callable[[float], str]) -> None:
    """Copy a source with each program, in turns; print the best and ratios to ours."""
    costs: dict[str, list[Cost]] = {name: [] for name in programs(*PROGRAMS)}
    for _ in range(rounds):
        for name, found in costs.items():
            target = source.with_name(f"{source.name}-copy")
            found.append(run(PROGRAMS[name](source, target)))
            shutil.rmtree(target) if target.is_dir() else target.unlink()
    show(what, costs, unit)


def compare_unchanged(source: Path, count: int, rounds: int) -> None:
    """Sync a tree that is there already, with us and rsync."""
    target = source.with_name("unchanged-copy")
    run(ours(source, target))
    costs: dict[str, list[Cost]] = {name: [] for name in programs("ours", "rsync -a")}
    for _ in range(rounds):
        for name, found in costs.items():
            found.append(run(PROGRAMS[name](source, target)))
    show(f"{count} unchanged files", costs, lambda s: f"{s / count * 1e6:.1f} µs a file")


def show(what: str, costs: dict[str, list[Cost]], unit: Callable[[float], str]) -> None:
    """Print a line for each program."""
    mine = best(costs["ours"]).seconds
    for name, found in costs.items():
        cost = best(found)
        times = f"{cost.seconds:8.2f} s {cost.processor:7.2f} s of processor"
        ratio = "" if name == "ours" else f"{cost.seconds / mine:.2f} of our time"
        print(f"{what:26} {name:9} {times}  {unit(cost.seconds):18} {ratio}", flush=True)


def show_memory(what: str, cost: Cost) -> None:
    """Print the peak of memory of one copy."""
    print(f"{what:26} {'ours':9} {cost.seconds:8.2f} s  peak of memory {cost.memory:.0f} MiB")


def show_entries(root: Path, count: int) -> None:
    """Look at, plan and copy a tree of empty files; print the time of each and the memory."""
    tree, target = plant(root / "entries", count, 0), root / "entries-copy"
    for what, code in (("list", LIST), ("plan", PLAN), ("copy", OURS), ("copy again", OURS)):
        cost = run([sys.executable, "-c", code, str(tree), str(target)])
        each = f"{cost.seconds / count * 1e6:.1f} µs an entry"
        show_memory(f"{count} empty: {what}, {each}", cost)
    shutil.rmtree(tree)
    shutil.rmtree(target)


def plant(folder: Path, count: int, size: int) -> Path:
    """Make a tree of files, 1,000 in each folder, as old as yesterday."""
    content = os.urandom(size)
    yesterday = time.time() - 86400
    for number in range(count):
        path = folder / f"{number // 1000:04}" / f"{number:07}"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, (yesterday, yesterday))
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="MiB of the large file")
    parser.add_argument("--files", type=int, default=5000, help="small files of 20 KB")
    parser.add_argument("--unchanged", type=int, default=100_000, help="files of the second sync")
    parser.add_argument("--many", type=int, default=200_000, help="files of the memory test")
    parser.add_argument("--entries", type=int, default=200_000, help="empty files to look at")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where to copy; a temporary folder by default")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        os.environ["OPENPAI_HOME"] = f"{place}/home"
        root = Path(place)
        large = root / "large"
        with large.open("wb") as stream:
            for _ in range(asked.size):
                stream.write(os.urandom(1 << 20))
        compare(
            f"one file of {asked.size} MiB",
            large,
            asked.rounds,
            lambda s: f"{asked.size / s:.0f} MiB/s",
        )
        large.unlink()
        small = plant(root / "small", asked.files, 20_000)
        compare(
            f"{asked.files} files of 20 KB",
            small,
            asked.rounds,
            lambda s: f"{asked.files / s:.0f} files/s",
        )
        shutil.rmtree(small)
        with (root / "sparse").open("wb") as stream:
            stream.truncate(10 << 30)
        show_memory("10 GiB, sparse", run(ours(root / "sparse", root / "sparse-copy")))
        (root / "sparse").unlink()
        (root / "sparse-copy").unlink()
        if asked.many:
            many = plant(root / "many", asked.many, 10)
            show_memory(f"{asked.many} files", run(ours(many, root / "many-copy")))
            shutil.rmtree(many)
            shutil.rmtree(root / "many-copy")
        if asked.entries:
            show_entries(root, asked.entries)
        tree = plant(root / "unchanged", asked.unchanged, 10)
        compare_unchanged(tree, asked.unchanged, asked.rounds)


if __name__ == "__main__":
    main()
