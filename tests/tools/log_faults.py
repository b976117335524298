"""Follow the logs of many jobs through cut connections, rotations, expired addresses, retries.

    python tests/tools/log_faults.py --faults 10000 --seeds 3

Real tasks of a local cluster write lines that a seed determines; the logs are small, so they rotate
all the time; a proxy cuts connections after a random number of bytes; the cluster's clock jumps, so
the addresses of logs are refused. What each follower yields must be what was written: every line
once, in order. A task never writes more than a part of a log ahead of its follower: a log that
rotates twice between two reads is lost on any PAI, with any client. Every fault is counted where
it strikes, and a run that counts too few of a kind fails.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the jobs run this file, too

from support.proxy import Fault, FaultProxy
from support.wait import wait_until

_LOG_LIMIT = 16_384
_AHEAD = _LOG_LIMIT // 4
_JOBS = 16
_LINES = 1000
_RETRIES = 1
_EXPIRY = 130  # seconds; addresses are good for 120
_LETTERS = "abcdefghij ☃é"


def lines_of(seed: str, attempt: int, index: int) -> Iterator[str]:
    """Yield what one run of a task writes: short lines, empty ones, some that are long.

    The seed ends with how many lines there are.
    """
    source = random.Random(f"{seed}/{attempt}/{index}")
    for number in range(int(seed.rpartition("_")[2])):
        kind = source.random()
        size = 0 if kind < 0.05 else source.randrange(900, 1800) if kind > 0.98 else 30
        text = "".join(source.choices(_LETTERS, k=source.randrange(size + 1)))
        yield f"{attempt}.{index}.{number} {text}" if kind >= 0.05 else ""


def write(seed: str, retries: int, acknowledged: Path) -> None:
    """Be the task: write its lines, never far ahead of what its follower has seen."""
    attempt = int(os.environ["FC_FRAMEWORK_ATTEMPT_ID"])
    index = int(os.environ["PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX"])
    seen = acknowledged / f"{seed}.{attempt}.{index}"
    written = 0
    for line in lines_of(seed, attempt, index):
        data = (line + "\n").encode()
        wait_until(lambda: written - _read_number(seen) <= _AHEAD, timeout=600)  # noqa: B023
        os.write(1, data)
        written += len(data)
    sys.exit(int(attempt < retries))  # the next attempt writes its own lines


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text() or 0)
    except FileNotFoundError:
        return 0


def random_cuts(seed: int) -> Callable[[], list[Fault]]:
    """Return a function that draws after how many bytes of answers a connection ends, and how."""
    dice = random.Random(seed)

    def draw() -> list[Fault]:
        early = dice.random() < 0.1
        # No answer is longer than the most of these bytes, so each comes through at last.
        after = int(2 ** dice.uniform(*((3, 9) if early else (9, 15))))
        return [Fault(dice.choice(["cut", "reset"]), after, upwards=False)]

    return draw


class Follower(threading.Thread):
    """Follows one job and compares what comes with what was written, line by line.

    Attributes:
        wrong: What came instead of what should have; empty if all is well.
        lines: How many lines came.
    """

    def __init__(
        self, cluster: Any, name: str, tasks: int, retries: int, acknowledged: Path
    ) -> None:
        super().__init__(daemon=True)
        self._job = cluster.job(name)
        self._acknowledged = acknowledged
        self._expected = [
            ((attempt, index), lines_of(name, attempt, index))
            for index in range(tasks)
            for attempt in range(retries + 1)
        ]
        self._retries = retries
        self._attempt = dict.fromkeys(range(tasks), 0)
        self._seen: dict[tuple[int, int], int] = {}
        self._told: dict[tuple[int, int], int] = {}
        self.wrong: list[str] = []
        self.lines = 0

    def run(self) -> None:
        """Follow until the job has ended; then nothing may be missing."""
        streams = {key: iter(lines) for key, lines in self._expected}
        try:
            for line in self._job.log_lines(follow=True):
                self._compare(streams, line.task_index, line.text)
        except BaseException as error:
            self.wrong.append(f"{self._job.name}: {error!r}")
        for key, rest in streams.items():
            left = sum(1 for _ in rest)
            if left:
                self.wrong.append(f"{self._job.name}: {left} lines of {key} never came")

    def _compare(self, streams: dict[Any, Iterator[str]], index: int, text: str) -> None:
        self.lines += 1
        key = (self._attempt[index], index)
        wanted = next(streams[key], None)
        if wanted is None and key[0] < self._retries:
            self._attempt[index] += 1
            key = (self._attempt[index], index)
            wanted = next(streams[key], None)
        if text != wanted:
            self.wrong.append(f"{self._job.name}: {key}: {text[:60]!r} came, not {wanted!r}")
        self._acknowledge(key, len(text.encode()) + 1)

    def _acknowledge(self, key: tuple[int, int], size: int) -> None:
        self._seen[key] = self._seen.get(key, 0) + size
        if self._seen[key] - self._told.get(key, 0) > _AHEAD // 8:
            self._told[key] = self._seen[key]
            place = self._acknowledged / f"{self._job.name}.{key[0]}.{key[1]}"
            place.write_text(str(self._seen[key]))


def campaign(seed: int, faults: int, jobs: int = _JOBS, lines: int = _LINES) -> dict[str, int]:
    """Follow jobs, round after round, until enough faults have struck; return the figures.

    Raises:
        AssertionError: A line was lost, doubled or changed, or a kind of fault did not strike.
    """
    from openpai.core import Cluster
    from openpai.core.local import LocalCluster

    figures = dict.fromkeys(("jobs", "lines", "cuts", "expiries", "rotations"), 0)
    size: dict[str, Any] = {"cpus": 256, "memory_mb": 1 << 20, "log_limit": _LOG_LIMIT}
    with LocalCluster(**size) as local, TemporaryDirectory() as folder:
        host, port = local.uri.rpartition("/")[2].split(":")
        refused: list[bytes] = []

        def watch(data: bytes) -> None:
            if data.startswith(b"HTTP/1.1 403"):
                refused.append(data)

        with (
            FaultProxy(int(port), each=random_cuts(seed), watch=watch, host=host) as proxy,
            Cluster(local.uri, user=local.user, token=local.token) as direct,
            Cluster(f"http://127.0.0.1:{proxy.port}", user=local.user, token=local.token) as cut,
        ):
            while sum(figures[k] for k in ("cuts", "expiries", "rotations")) < faults:
                names = [f"s{seed}_j{figures['jobs'] + n}_{lines}" for n in range(jobs)]
                _round(local, direct, cut, Path(folder), names, figures)
                figures["cuts"], figures["expiries"] = len(proxy.fired), len(refused)
    missing = [kind for kind in ("cuts", "expiries", "rotations") if not figures[kind]]
    assert not missing, f"no {', '.join(missing)} struck"
    return figures


def _round(
    local: Any, direct: Any, cut: Any, folder: Path, names: list[str], figures: dict[str, int]
) -> None:
    """Follow some jobs to their end, the clock jumping meanwhile."""
    followers = []
    for number, name in enumerate(names):
        tasks = 1 + number % 2
        retries = 0 if tasks > 1 else _RETRIES  # one task's failure ends its fellows half-way
        direct.submit(_job(name, tasks, retries, folder))
        followers.append(Follower(cut, name, tasks, retries, folder))
    for follower in followers:
        follower.start()
    logs = local.folder
    known: dict[Path, set[int]] = {}
    jump = time.monotonic() + 2

    def ended() -> bool:
        nonlocal jump
        _look_for_rotations(logs, known)
        if time.monotonic() > jump:
            local.advance(_EXPIRY)
            jump = time.monotonic() + 2
        return not any(follower.is_alive() for follower in followers)

    wait_until(ended, "the end of the followed jobs", timeout=900)
    figures["rotations"] += sum(len(seen) - 1 for seen in known.values())
    figures["jobs"] += len(names)
    figures["lines"] += sum(follower.lines for follower in followers)
    wrong = [text for follower in followers for text in follower.wrong]
    assert not wrong, "\n".join(wrong[:20])


def _look_for_rotations(folder: Path, known: dict[Path, set[int]]) -> None:
    """Count by the files' identities: a log that has rotated is another file."""
    for path in folder.rglob("user-all"):
        with suppress(OSError):
            known.setdefault(path, set()).add(path.stat().st_ino)


def _job(name: str, tasks: int, retries: int, folder: Path) -> Any:
    from openpai.core.protocol.command_job import command_line, job_from_command

    words = [
        sys.executable,
        str(Path(__file__).resolve()),
        "--write",
        name,
        str(retries),
        str(folder),
    ]
    options: dict[str, Any] = {"image": "none", "cpu": 1, "memory_mb": 256, "instances": tasks}
    job = job_from_command(name, [command_line(words)], **options)
    return job.retries(retries)


def main() -> None:
    """Run seeds and print the figures as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=10_000, help="in all, over all seeds")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument(
        "--write", nargs=3, metavar=("SEED", "RETRIES", "FOLDER"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.write:
        seed, retries, folder = options.write
        write(seed, int(retries), Path(folder))
    print("| seed | jobs | lines | cuts | expired addresses | rotations | lost or doubled |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        found = campaign(seed, options.faults // options.seeds)
        cells = " | ".join(f"{value:,}" for value in found.values())
        print(f"| {seed} | {cells} | 0 |", flush=True)


if __name__ == "__main__":
    main()
