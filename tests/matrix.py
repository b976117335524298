"""Run the unit tests on every Python that this machine has, and name those it lacks.

Each distribution claims a range of Pythons in its ``requires-python``. For each Python from 3.8 to
3.13 an environment is made with the distributions that claim it, installed as built wheels are,
and their unit tests run there, two Pythons at a time.

    python tests/matrix.py [--only 3.8] [pytest arguments]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
TOOLS = (
    "click",
    "hypothesis",
    "jsonschema",
    "keyring",
    "pexpect",
    "pytest",
    "pytest-httpserver",
    "pytest-timeout",
)
EVERYWHERE = {"openpai-core": "[local]", "openpai-storage": "", "openpai-runtime": ""}
NEWER = {"openpai-notebook": "[execute]", "openpai-cli": ""}
NEWER_TOOLS = ("jupyter-server", "nbconvert")


def find(version: str) -> str | None:
    """Return a working interpreter of this version: on PATH, or one that pyenv keeps."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(map(str, pyenv.glob(f"{version}.*/bin/python"))),
    ]
    for candidate in filter(None, candidates):
        # A pyenv shim exists for every version and fails for those that are not switched on.
        answer = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.stdout.strip() == version:
            return candidate
    return None


def run(version: str, interpreter: str, arguments: list[str]) -> bool:
    """Run the unit tests of the distributions that claim this version; return whether they pass."""
    began = time.monotonic()
    packages, tools = dict(EVERYWHERE), [*TOOLS]
    if tuple(map(int, version.split("."))) >= (3, 10):
        packages.update(NEWER)
        tools += NEWER_TOOLS
    with tempfile.TemporaryDirectory() as folder:
        python = str(Path(folder) / "bin" / "python")
        subprocess.run(["uv", "venv", "--quiet", "--python", interpreter, folder], check=True)
        members = [f"{ROOT / 'packages' / name}{extra}" for name, extra in packages.items()]
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--python", python, *members, *tools], check=True
        )
        tests = [str(ROOT / "packages" / name / "tests") for name in packages]
        environment = {**os.environ, "PATH": f"{folder}/bin{os.pathsep}{os.environ['PATH']}"}
        environment.pop("VIRTUAL_ENV", None)
        temporary = str(Path(folder) / "pytest")
        result = subprocess.run(
            [
                *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("--basetemp", temporary, *tests, *arguments),
            ],
            cwd=ROOT,
            env=environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    print(f"== Python {version}, {time.monotonic() - began:.0f} s\n{result.stdout}", flush=True)
    return result.returncode == 0


def main() -> int:
    """Run all versions; the exit code is 1 if one failed, or if there was none to run on."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=VERSIONS)
    parser.add_argument("--without", action="append", choices=VERSIONS, default=[])
    options, arguments = parser.parse_known_args()
    wanted = [v for v in options.only or VERSIONS if v not in options.without]
    found = {version: find(version) for version in wanted}
    with ThreadPoolExecutor(2) as pool:
        results = {
            version: pool.submit(run, version, interpreter, arguments)
            for version, interpreter in found.items()
            if interpreter
        }
    passed = {version: result.result() for version, result in results.items()}
    for version in wanted:
        words = {True: "passed", False: "FAILED", None: "absent on this machine"}
        print(f"Python {version}: {words[passed.get(version)]}")
    return 0 if passed and all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
