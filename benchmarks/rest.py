"""The REST client against bare requests: ratios of one run on one machine.

Three comparisons: 2,000 calls one after the other, iterating over a list of 50,000 jobs, and 1,000
submissions to a server that takes 50 ms for each call. The server is a process of its own.
"""

from __future__ import annotations

import gc
import multiprocessing
import re
import statistics
import sys
import threading
import time
import tracemalloc
from contextlib import suppress
from typing import ClassVar
from urllib.parse import urlsplit

import job_list
import requests

from openpai.core import Cluster
from openpai.core.protocol import job_from_command

CALLS = 2_000
LISTED = 50_000
SUBMITTED = 1_000
DELAY = 0.05
API = "/rest-server/api/v2"


class Handler(job_list.Handler):
    """The list, and jobs that are submitted, slowly, and kept by name in memory."""

    jobs: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:  # noqa: N802 - named by the library
        """Answer with configs of jobs that were submitted, else as the list does."""
        parts = urlsplit(self.path)
        if parts.path.endswith("/config"):
            time.sleep(DELAY)
            name = parts.path.split("~")[1].split("/")[0]
            return self.answer(self.jobs[name])
        if "username=" in parts.query:
            return self.answer(b"[]")  # what submit_all asks for first
        return super().do_GET()

    def do_POST(self) -> None:  # noqa: N802 - named by the library
        """Take a job, slowly."""
        text = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(DELAY)
        name = re.search(rb"^name: (\S+)", text, re.MULTILINE)
        assert name is not None
        self.jobs[name.group(1).decode()] = text
        self.answer(b'{"status": 202}', 202)


def serve(pipe) -> None:
    """Be the server, until the pipe is closed."""
    Handler.rows = job_list.rows(LISTED)
    server = job_list.Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    with suppress(EOFError):
        pipe.recv()


def seconds(action) -> float:
    """How long something takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def peak(action) -> int:
    """The most memory that something holds at once, in bytes."""
    gc.collect()
    tracemalloc.start()
    action()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def measure_calls(uri: str, cluster: Cluster) -> float:
    """Calls a second of the client over those of bare requests; rounds alternate."""
    with requests.Session() as http:
        http.trust_env = False  # as ours does on loopback: reading ~/.netrc each time costs half

        def bare() -> None:
            for _ in range(CALLS // 5):
                http.get(f"{uri}{API}/info").json()

        def ours() -> None:
            for _ in range(CALLS // 5):
                cluster.info()

        bare(), ours()
        rounds = [(seconds(bare), seconds(ours)) for _ in range(5)]
    return statistics.median(theirs / mine for theirs, mine in rounds)


def measure_list(uri: str, cluster: Cluster) -> tuple[float, float]:
    """Time and memory of iterating over the list, over those of one bare answer."""

    def bare() -> None:
        answer = requests.get(f"{uri}{API}/jobs", params={"limit": LISTED}, timeout=60).json()
        assert len(answer) == LISTED
        for item in answer:
            item["name"]

    def ours() -> None:
        count = 0
        for job in cluster.jobs():
            job.name  # noqa: B018 - reading it is what is measured
            count += 1
        assert count == LISTED

    bare(), ours()
    times = [(seconds(bare), seconds(ours)) for _ in range(5)]
    return statistics.median(mine / theirs for theirs, mine in times), peak(ours) / peak(bare)


def measure_submits(cluster: Cluster) -> float:
    """Time of submitting one after the other, over that of submitting many at a time.

    One after the other, each job is looked at once more after its submission: two calls instead of
    one, so half of what is gained comes from that.
    """

    def jobs(prefix: str) -> list:
        return [
            job_from_command(f"{prefix}_{n}", ["true"], image="any", cpu=1, memory_mb=64)
            for n in range(SUBMITTED)
        ]

    one, many = jobs("one"), jobs("many")
    sequential = seconds(lambda: [cluster.submit(job) for job in one])
    together = seconds(lambda: all(o.ok for o in cluster.submit_all(many)) or sys.exit("failed"))
    return sequential / together


def main() -> int:
    """Measure all three; return 1 if a promise is not kept."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()
    uri = f"http://127.0.0.1:{ours.recv()}"
    try:
        with Cluster(uri, user="alice", token="t") as cluster:
            calls = measure_calls(uri, cluster)
            wall, memory = measure_list(uri, cluster)
            submits = measure_submits(cluster)
    finally:
        ours.close()
        process.join()
    rows = [
        ("calls a second, over bare requests", calls, ">=", 0.85),
        ("time to list 50,000 jobs, over one bare answer", wall, "<=", 1.3),
        ("peak memory of it, over one bare answer", memory, "<=", 1.5),
        ("1,000 submits one by one, over submit_all", submits, ">=", 6.0),
    ]
    kept = True
    for what, found, sign, promise in rows:
        good = found >= promise if sign == ">=" else found <= promise
        kept = kept and good
        print(f"{what:50} {found:6.2f}  {sign} {promise:<4} {'' if good else 'NOT KEPT'}".rstrip())
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
