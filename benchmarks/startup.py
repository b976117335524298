"""How long `opai` takes to start, as ratios taken in one run.

Run it with the Python of the environment that `opai` is installed in. The commands take turns, so
that whatever else the machine does hits all of them; what is printed is the median of each, and
what it is of the yardstick's median.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

JOBS = 1000
REQUESTS_SCRIPT = """
import sys, requests
answer = requests.get(sys.argv[1] + "/rest-server/api/v2/jobs", params={"username": "alice"},
                      headers={"Authorization": "Bearer t"})
answer.raise_for_status()
for job in answer.json():
    print(job["name"], job["state"])
"""


def job(number: int) -> dict[str, object]:
    """One item of the job list, with the keys that the real server sends."""
    moment = 1_760_000_000_000 + number * 60_000
    return {
        "debugId": f"{number:032x}",
        "name": f"train_{number:06d}",
        "username": "alice",
        "state": "SUCCEEDED",
        "subState": "Completed",
        "executionType": "START",
        "tags": [],
        "retries": 0,
        "retryDetails": {"user": 0, "platform": 0, "resource": 0},
        "retryDelayTime": None,
        "submissionTime": moment,
        "createdTime": moment + 1000,
        "launchedTime": moment + 5000,
        "completedTime": moment + 65_000,
        "appExitCode": 0,
        "virtualCluster": "default",
        "totalGpuNumber": 1,
        "totalTaskNumber": 1,
        "totalTaskRoleNumber": 1,
        "jobPriority": None,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with the part of the job list that it asks for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send the jobs."""
        query = parse_qs(urlsplit(self.path).query)
        first = int(query.get("offset", ["0"])[0])
        last = first + int(query.get("limit", ["5000"])[0])
        answer = json.dumps([job(number) for number in range(JOBS)[first:last]]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def measure(
    commands: dict[str, list[str]], environ: dict[str, str], rounds: int
) -> dict[str, float]:
    """Return the median seconds of each command, run in turns."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(rounds + 1):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
            if round_:  # the first round fills the caches
                times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def show(times: dict[str, float], yardsticks: list[str]) -> None:
    """Print medians and ratios as a Markdown table."""
    print("| command | ms |" + "".join(f" of `{name}` |" for name in yardsticks))
    print("|---|---:|" + "---:|" * len(yardsticks))
    for name, seconds in times.items():
        ratios = "".join(f" {seconds / times[yardstick]:.2f} |" for yardstick in yardsticks)
        print(f"| `{name}` | {seconds * 1000:.0f} |{ratios}")
    print()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    python, opai = sys.executable, str(Path(sys.executable).parent / "opai")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    uri = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as home:
        Path(home, "clusters.yaml").write_text(
            f"- {{cluster_alias: bench, pai_uri: '{uri}', user: alice}}\n"
        )
        environ = {**os.environ, "OPENPAI_HOME": home, "OPENPAI_TOKEN": "t"}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as users have it: compiled once, then kept
        start = {
            "python -c pass": [python, "-c", "pass"],
            "python -c 'import click'": [python, "-c", "import click"],
            "opai --version": [opai, "--version"],
            "opai --help": [opai, "--help"],
            "opai job sub --help": [opai, "job", "sub", "--help"],
        }
        show(measure(start, environ, rounds), list(start)[:2])
        listing = {
            "python -c pass": [python, "-c", "pass"],
            "a script with requests": [python, "-c", REQUESTS_SCRIPT, uri],
            "opai job list": [opai, "job", "list"],
            "opai job list -o json": [opai, "job", "list", "-o", "json"],
        }
        print(f"{JOBS} jobs:\n")
        show(measure(listing, environ, rounds), list(listing)[:2])
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
