"""Run the unit tests on other Pythons than that of the test environment.

Each distribution claims a range of Pythons in its ``requires-python``. For each Python an
environment is made with the distributions that claim it, installed as wheels, and their unit tests
run there, two Pythons at a time.

    python tests/tools/matrix.py                    # the oldest and the newest Python
    python tests/tools/matrix.py --full             # all Pythons and all unit tests
    python tests/tools/matrix.py --only 3.10 -k job # one Python, with arguments of pytest
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

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
TOOLS = (
    "click",
    "filelock",
    "hypothesis",
    "jsonschema",
    "keyring",
    "pexpect",
    "pytest",
    "pytest-httpserver",
    "pytest-timeout",
    "pytest-xdist",
)
PACKAGES = {"openpai-core": "[local]", "openpai-storage": "", "openpai-runtime": ""}
PACKAGES_FROM_3_10 = {"openpai-notebook": "[execute]", "openpai-cli": ""}
TOOLS_FROM_3_10 = ("jupyter-server", "nbconvert")


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
    packages, tools = dict(PACKAGES), [*TOOLS]
    if tuple(map(int, version.split("."))) >= (3, 10):
        packages.update(PACKAGES_FROM_3_10)
        tools += TOOLS_FROM_3_10
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
        command = [
            *(python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"),
            *("--basetemp", str(Path(folder) / "pytest"), *tests, *arguments),
        ]
        result = subprocess.run(
            command,
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
    """Run the chosen Pythons.

    Returns:
        1 if one failed, or if there was none to run on; where ``OPENPAI_TESTS_REQUIRE_PARTS`` is
        set, also if one is missing.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="All Pythons and all unit tests.")
    parser.add_argument("--only", action="append", choices=VERSIONS, help="Only this Python.")
    options, arguments = parser.parse_known_args()
    versions = options.only or (VERSIONS if options.full else (VERSIONS[0], VERSIONS[-1]))
    if not options.full:
        arguments = ["-m", "not process", *arguments]
    interpreters = {version: find(version) for version in versions}
    with ThreadPoolExecutor(2) as pool:
        runs = {
            version: pool.submit(run, version, interpreter, arguments)
            for version, interpreter in interpreters.items()
            if interpreter
        }
    passed = {version: result.result() for version, result in runs.items()}
    for version in versions:
        words = {True: "passed", False: "FAILED", None: "not on this machine"}
        print(f"Python {version}: {words[passed.get(version)]}")
    complete = len(passed) == len(versions) or "OPENPAI_TESTS_REQUIRE_PARTS" not in os.environ
    return 0 if complete and passed and all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
