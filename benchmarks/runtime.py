"""What the runtime costs: its start, a signal's way through it, and saving outputs.

Run it with the Python of the environment that openpai-runtime is installed in. Everything is
measured in one run, in turns; what is printed is the median of each and what it is of the
yardstick's: `python -c pass`, the same signal without the runtime, and `cp -r`.

    python benchmarks/runtime.py [--rounds 15] [--files 2000] [--mib 2048]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RUN = [str(Path(sys.executable).with_name("openpai-runtime")), "run", "--"]
LISTENER = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: print(time.monotonic(), flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""


# What the platform's own runtime does in Python before a task (framework_parser.py genenv and
# genconf, initializer.py, port.py, user_command_renderer.py), measured on another day of a machine
# of this size: their sum, in starts of `python -c pass` of the same minutes.
PLATFORM_STEPS = (0.132 + 0.145 + 0.307 + 0.080 + 0.103) / 0.020


def first_instruction(command: list[str], environ: dict[str, str], folder: Path) -> float:
    """Return how long it takes until the command runs; it tells the time itself."""
    began = time.time()
    tell = [*command, "date", "+%s.%N"]
    done = subprocess.run(
        tell, env=environ, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return float(done.stdout) - began


def seconds(command: list[str], environ: dict[str, str], folder: Path) -> float:
    """Return how long a command takes."""
    began = time.monotonic()
    subprocess.run(command, env=environ, cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def in_turns(rounds: int, measures: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Measure each thing once a round; return the medians."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def show(title: str, medians: dict[str, float], note: str = "") -> None:
    """Print medians in milliseconds and as multiples of the first."""
    print(f"{title}{note}")
    yardstick = next(iter(medians.values()))
    for name, value in medians.items():
        print(f"  {name:<34}{value * 1000:10.1f} ms {value / yardstick:8.2f} x")


def environ_with(folder: Path, section: dict[str, object] | None) -> dict[str, str]:
    """Return an environment with a job config, or without."""
    environ = {name: value for name, value in os.environ.items() if "OPENPAI" not in name}
    if section is not None:
        config = folder / f"job{len(list(folder.glob('job*')))}.json"
        job = {"name": "bench", "taskRoles": {"main": {}}, "extras": {"openpai.runtime": section}}
        config.write_text(json.dumps(job))
        environ["OPENPAI_JOB_CONFIG"] = str(config)
        environ["OPENPAI_STORAGES"] = json.dumps({"disk": str(folder / "storage")})
    return environ


def start(folder: Path, rounds: int) -> None:
    """Measure from the start of the runtime to the end of `true`."""
    work = folder / "work"
    workspace = {"version": 1, "workspace": "disk:/bench"}
    plain, empty = environ_with(folder, None), environ_with(folder, {"version": 1})
    saving = environ_with(folder, workspace)
    measures = {
        "python -c pass": lambda: seconds([sys.executable, "-c", "pass"], plain, work),
        "run true": lambda: seconds([*RUN, "true"], plain, work),
        "run true, empty section": lambda: seconds([*RUN, "true"], empty, work),
        "run true, workspace and manifest": lambda: seconds([*RUN, "true"], saving, work),
    }
    firsts = {
        "python -c pass": measures["python -c pass"],
        "date without the runtime": lambda: first_instruction([], plain, work),
        "run": lambda: first_instruction(RUN, plain, work),
        "run, workspace and manifest": lambda: first_instruction(RUN, saving, work),
    }
    medians = in_turns(rounds, firsts)
    show("from the start to the command's first instruction", medians)
    steps = PLATFORM_STEPS * medians["python -c pass"]
    print(
        f"  {'the platform runtime, reckoned':<34}{steps * 1000:10.1f} ms {PLATFORM_STEPS:8.2f} x"
    )
    show("start to end of a command that does nothing", in_turns(rounds, measures))


def signal_way(command: list[str]) -> float:
    """Return the seconds from sending a signal to the program's handling it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGUSR1)
        arrived = float(process.stdout.readline())
        process.terminate()
    return arrived - began


def save(folder: Path, rounds: int, title: str) -> None:
    """Measure `cp -r` of the outputs against a whole task that saves them."""
    work, target = folder / "work", folder / "storage"
    section = {"version": 1, "workspace": "disk:/bench", "outputs": [{"path": "out"}]}
    environ = environ_with(folder, section)

    def copy(command: list[str]) -> float:
        shutil.rmtree(target)
        target.mkdir()
        return seconds(command, environ, work)

    measures = {
        "cp -r": lambda: copy(["cp", "-r", "out", str(target)]),
        "run true, outputs saved": lambda: copy([*RUN, "true"]),
    }
    show(f"saving {title}", in_turns(rounds, measures), " (with SHA-256 and manifest)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--mib", type=int, default=2048)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = folder / "work" / "out"
        output.mkdir(parents=True)
        (folder / "storage").mkdir()
        start(folder, options.rounds)
        program = [sys.executable, "-c", LISTENER]
        ways = {
            "directly": lambda: signal_way(program),
            "through the runtime": lambda: signal_way([*RUN, *program]),
        }
        show("a signal's way to the program", in_turns(options.rounds, ways))
        for number in range(options.files):
            (output / f"{number}").write_bytes(b"x" * 20_000)
        few = max(1, options.rounds // 5)
        save(folder, few, f"{options.files} files of 20 kB")
        shutil.rmtree(output)
        output.mkdir()
        with (output / "large").open("wb") as file:
            for _ in range(options.mib):
                file.write(os.urandom(1 << 20))
        save(folder, few, f"one file of {options.mib} MiB")


if __name__ == "__main__":
    main()
