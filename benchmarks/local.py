"""The local cluster against what bounds it: the same work without a cluster, in the same run.

    python benchmarks/local.py [--jobs 60] [--slots 2]

- from the start of a cluster to its first answer, over a bare ``http.server``'s;
- jobs of one second on a number of slots, over ``xargs -P`` running the same commands: throughput;
- the list of 50,000 jobs, over ``json.dumps`` of the same list;
- what an idle server takes of a processor, and its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from openpai.core import Cluster
from openpai.core.local import LocalCluster
from openpai.core.protocol import job_from_command

LISTED = 50_000
COMMAND = "sleep 1"


def seconds(action) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def start_cluster() -> None:
    """Start a cluster in this process, and ask it who it is."""
    with LocalCluster() as local:
        requests.get(f"{local.uri}/rest-server/api/v2/info", timeout=30).raise_for_status()


def run_jobs(count: int, slots: int) -> float:
    """Return the seconds from the first submission to the end of the last job."""
    with (
        LocalCluster(cpus=slots) as local,
        Cluster(local.uri, user=local.user, token=local.token) as cluster,
    ):
        jobs = [
            job_from_command(f"j{n}", [COMMAND], image="any", cpu=1, memory_mb=16)
            for n in range(count)
        ]
        began = time.perf_counter()
        outcomes = cluster.submit_all(jobs)
        assert all(outcome.ok for outcome in outcomes)
        while next(iter(cluster.jobs(state=["WAITING", "RUNNING"])), None):
            time.sleep(0.05)
        took = time.perf_counter() - began
        assert {job.state for job in cluster.jobs()} == {"SUCCEEDED"}
        return took


def run_xargs(count: int, slots: int) -> float:
    """Return the seconds that xargs takes for the same commands, with the same number of slots."""
    lines = "\n".join([COMMAND] * count)
    command = ["xargs", "-P", str(slots), "-I{}", "bash", "-c", "{}"]
    return seconds(lambda: subprocess.run(command, input=lines, text=True, check=True))


def multiply(folder: Path) -> None:
    """Make 50,000 jobs of the one in a cluster's records, as a long life would."""
    with sqlite3.connect(folder / "cluster.db", timeout=30) as records:
        columns = [row[1] for row in records.execute("PRAGMA table_info(jobs)")]
        names = ", ".join(f'"{name}"' for name in columns)
        changed = {
            "id": "id + number",
            "name": "name || number",
            "debug_id": "debug_id || number",
            "summary": 'replace(summary, \'"name":"seed"\', \'"name":"seed\' || number || \'"\')',
        }
        values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
        records.execute(
            f"WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n"
            f" WHERE number < {LISTED - 1}) INSERT INTO jobs({names}) SELECT {values} FROM n, jobs"
        )


def list_jobs() -> float:
    """Time of the answer with 50,000 jobs, over that of serializing it."""
    with tempfile.TemporaryDirectory() as folder, LocalCluster(folder=Path(folder)) as local:
        with Cluster(local.uri, user=local.user, token=local.token) as cluster:
            seed = job_from_command("seed", ["true"], image="any", cpu=1, memory_mb=16)
            cluster.submit(seed).wait(timeout=60)
        multiply(Path(folder))
        address = f"{local.uri}/rest-server/api/v2/jobs?limit={LISTED}"
        headers = {"Authorization": f"Bearer {local.token}"}
        listed = requests.get(address, headers=headers, timeout=60).json()
        assert len({job["name"] for job in listed}) == LISTED
        ratios = []
        for _ in range(5):
            answered = seconds(lambda: requests.get(address, headers=headers, timeout=60).content)
            ratios.append(answered / seconds(lambda: json.dumps(listed)))
        return statistics.median(ratios)


def idle() -> tuple[float, float]:
    """Return what a server that was left alone takes: percent of a processor, MiB of memory."""
    opai = shutil.which("opai", path=str(Path(sys.executable).parent)) or "opai"
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "OPENPAI_HOME": home}
        subprocess.run([opai, "local", "up"], env=environment, check=True, capture_output=True)
        try:
            process = json.loads(Path(home, "local", "server.json").read_text())["pid"]
            time.sleep(2)
            before = ticks(process)
            time.sleep(10)
            used = (ticks(process) - before) / os.sysconf("SC_CLK_TCK") / 10
            status = Path(f"/proc/{process}/status").read_text()
            memory = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024
        finally:
            subprocess.run([opai, "local", "down"], env=environment, check=True)
    return used * 100, memory


def ticks(process: int) -> int:
    """Return the clock ticks of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main() -> int:
    """Measure and print; return 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--slots", type=int, default=2)
    options = parser.parse_args()
    start_cluster()
    started = statistics.median(seconds(start_cluster) for _ in range(5))
    jobs = run_xargs(options.jobs, options.slots) / run_jobs(options.jobs, options.slots)
    listed = list_jobs()
    processor, memory = idle()
    rows = [
        ("start of a cluster, first answer and stop, ms", started * 1000, "<=", 1000),
        (
            f"{options.jobs} jobs of 1 s on {options.slots} slots, throughput over xargs",
            jobs,
            ">=",
            0.8,
        ),
        ("list of 50,000 jobs, over json.dumps of it", listed, "<=", 2.0),
        ("idle server, percent of a processor", processor, "<=", 1.0),
        ("idle server, MiB", memory, "<=", 60.0),
    ]
    kept = True
    for what, found, sign, promise in rows:
        good = found >= promise if sign == ">=" else found <= promise
        kept = kept and good
        print(f"{what:58} {found:7.2f}  {sign} {promise:<6} {'' if good else 'NOT KEPT'}".rstrip())
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
