"""Whether `opai job logs -f` keeps up with a task that prints 100,000 lines a second.

A real task on a local cluster prints numbered lines at that pace, `opai` follows it in a process of
its own, and its memory is looked at all the time. The yardstick is the task itself: how long it
printed, and how long after its end the follower had the last line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PACE = 100_000  # lines a second
TASK = f"""
import os, time
begin, count = time.monotonic(), TOTAL
for first in range(0, count, 1000):
    os.write(1, b"".join(b"line %012d of a task that prints\\n" % n
                         for n in range(first, first + 1000)))
    time.sleep(max(begin + (first + 1000) / {PACE} - time.monotonic(), 0))
open("PLACE", "w").write(str(time.monotonic() - begin))
"""


def memory(pid: int) -> int:
    """Return the resident memory of a process in KiB; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0
    return int(text.partition("VmRSS:")[2].split()[0]) if "VmRSS:" in text else 0


def main() -> None:
    """Measure and print."""
    from openpai.core import Cluster
    from openpai.core.config import ClusterEntry, save_cluster
    from openpai.core.local import LocalCluster
    from openpai.core.protocol import command_line, job_from_command

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    total = parser.parse_args().seconds * PACE
    with tempfile.TemporaryDirectory() as folder, LocalCluster(cpus=4, memory_mb=4096) as local:
        os.environ["OPENPAI_HOME"] = folder
        save_cluster(ClusterEntry("bench", local.uri, local.user, token=local.token))
        script, place = Path(folder, "task.py"), Path(folder, "seconds")
        script.write_text(TASK.replace("TOTAL", str(total)).replace("PLACE", str(place)))
        job = job_from_command(
            "printing", [command_line([sys.executable, str(script)])], image="none", cpu=1
        )
        with Cluster(local.uri, user=local.user, token=local.token) as cluster:
            cluster.submit(job)
        follow(total, place)


def follow(total: int, place: Path) -> None:
    """Follow the task to its end, and print what it took."""
    opai = str(Path(sys.executable).parent / "opai")
    words = [opai, "job", "logs", "-f", "printing"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    sizes: list[int] = []
    ended: list[float] = []

    def look() -> None:
        while process.poll() is None:
            sizes.append(memory(process.pid))
            if place.exists() and not ended:
                ended.append(time.monotonic())
            time.sleep(0.05)

    watcher = threading.Thread(target=look)
    watcher.start()
    lines = sum(1 for _ in process.stdout)
    last = time.monotonic()
    process.wait()
    watcher.join()
    printed = float(place.read_text())
    sizes = [size for size in sizes if size]
    early = max(sizes[: len(sizes) // 4])
    print("| | |\n|---|---:|")
    print(f"| lines printed, a second | {total / printed:,.0f} |")
    print(f"| lines that came | {lines:,} of {total:,} |")
    print(f"| the last one, seconds after it was printed | {last - (ended or [last])[0]:.1f} |")
    print(f"| memory in the first quarter, MiB at most | {early / 1024:.0f} |")
    print(f"| memory in all, MiB at most | {max(sizes) / 1024:.0f} |")


if __name__ == "__main__":
    main()
