"""How long from `opai job sub` to the task's first instruction, and what that is made of.

On an idle local cluster of its own, in one run: the whole command, and the same submission from
Python, so that the start of the tool, the call and the start of the task can be told apart.

    python benchmarks/submit.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from openpai.core import Cluster, Job
from openpai.core.protocol import job_from_command, job_yaml, random_letters, source, validation
from openpai.core.rest import Session

CLOCK = "date +%s.%N"


def first_instruction(cluster: Cluster, name: str) -> float:
    """Return the time that the task printed, in seconds since the epoch."""
    remote = cluster.job(name)
    remote.wait(timeout=60, poll=0.05)
    return float(next(iter(remote.logs())))


def by_command(cluster: Cluster, opai: str, number: int) -> float:
    """Submit by the command; return the seconds from its start to the first instruction."""
    began = time.time()
    command = ["job", "sub", "-a", "local", "--image", "x:1", "--name", f"command{number}", CLOCK]
    subprocess.run([opai, *command], check=True, capture_output=True)
    return first_instruction(cluster, f"command{number}") - began


def by_python(cluster: Cluster, number: int) -> tuple[float, float]:
    """Submit from Python; return the seconds of the call, and from there to the instruction."""
    job = Job.from_yaml(
        f"{{protocolVersion: 2, name: python{number}, type: job,"
        " prerequisites: [{name: i, type: dockerimage, uri: 'x:1'}],"
        " taskRoles: {main: {instances: 1, dockerImage: i, commands: ['" + CLOCK + "'],"
        " resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}}}}"
    )
    began = time.time()
    cluster.submit(job)
    answered = time.time()
    return answered - began, first_instruction(cluster, f"python{number}") - answered


def count_calls(cluster: Cluster) -> Counter[str]:
    """Submit once from Python; return how often a job was parsed, checked, written, copied, sent.

    The name is random, as that of `opai job sub`, so that it needs no check afterwards.
    """
    names = {
        job_yaml.read_yaml.__code__: "parses",
        validation.job_problems.__code__: "validations",
        job_yaml.dump_yaml.__code__: "YAML writes",
        source.unshared.__code__: "copies",
        Session._once.__code__: "requests",
    }
    calls: Counter[str] = Counter(dict.fromkeys(names.values(), 0))

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in names:
            calls[names[frame.f_code]] += 1

    job = job_from_command(f"counted_{random_letters(8)}", [CLOCK], image="x:1", cpu=1)
    assert cluster.user  # a client asks for its user once
    sys.setprofile(note)
    try:
        cluster.submit(job, check_name=False)
    finally:
        sys.setprofile(None)
    return calls


def start_of(opai: str) -> float:
    """Return the seconds that the tool takes to start and say its version."""
    began = time.time()
    subprocess.run([opai, "--version"], check=True, capture_output=True)
    return time.time() - began


def main() -> None:
    """Measure and print medians in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    opai = shutil.which("opai", path=str(Path(sys.executable).parent)) or "opai"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OPENPAI_HOME"] = folder
        subprocess.run([opai, "local", "up"], check=True, capture_output=True)
        try:
            with Cluster.load("local") as cluster:
                whole, start, answers, begins = [], [], [], []
                by_python(cluster, -1)  # the first of each kind warms the caches
                calls = count_calls(cluster)
                for number in range(rounds):
                    whole.append(by_command(cluster, opai, number))
                    start.append(start_of(opai))
                    call, begin = by_python(cluster, number)
                    answers.append(call)
                    begins.append(begin)
        finally:
            subprocess.run([opai, "local", "down", "--stop-jobs"], check=True, capture_output=True)
    rows = {
        "opai job sub … to the task's first instruction": whole,
        "  of it: opai starts (opai --version)": start,
        "  of it: the job is checked, sent and answered": answers,
        "  of it: from the answer to the first instruction": begins,
    }
    print(f"median (min-max) of {rounds} rounds, milliseconds")
    for label, values in rows.items():
        low, high = min(values) * 1000, max(values) * 1000
        print(f"{label:52} {statistics.median(values) * 1000:7.1f} ({low:.1f}-{high:.1f})")
    print("one submission:", ", ".join(f"{count} {name}" for name, count in calls.items()))


if __name__ == "__main__":
    main()
