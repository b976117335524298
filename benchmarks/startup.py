"""How long `opai` takes to start, as ratios taken in one run.

Run it with the Python of the environment that `opai` is installed in. The commands take turns, so
that whatever else the machine does hits all of them; what is printed is the median of each, and
what it is of the yardstick's median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import job_list

JOBS = (100, 1000)
SCRIPT = """
import click, requests

@click.command()
@click.argument("uri")
@click.option("--user", default="alice")
def main(uri, user):
    answer = requests.get(uri + "/rest-server/api/v2/jobs", params={"username": user},
                          headers={"Authorization": "Bearer t"})
    answer.raise_for_status()
    for job in answer.json():
        click.echo(job["name"] + " " + job["state"])

main()
"""


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
    server = job_list.Server(("127.0.0.1", 0), job_list.Handler)
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
            "a script with click and requests": [python, "-c", SCRIPT, uri],
            "opai job list": [opai, "job", "list"],
            "opai job list -o json": [opai, "job", "list", "-o", "json"],
        }
        for count in JOBS:
            job_list.Handler.rows = job_list.rows(count)
            print(f"{count} jobs:\n")
            show(measure(listing, environ, rounds), list(listing)[:2])
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
