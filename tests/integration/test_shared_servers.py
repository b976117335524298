"""Servers start once per run, and none outlives it: of ``support.shared``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import state_of
from support.wait import wait_until

SERVER = """
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.servers.server import Server
from support.shared import shared
from support.wait import wait_until

HERE = Path(__file__).parent


@dataclass
class Sleeper(Server):
    command: str = "sleep 600"

    def start(self):
        self.launch("sleeper", ["bash", "-c", f"echo started; {self.command}"])
        wait_until(lambda: "started" in self.logs(), "its log")
        with (HERE / "pids").open("a") as pids:
            pids.write(f"{self._running['sleeper'].pid}\\n")
        if self.command == "broken":
            raise RuntimeError("it has ended")
"""
USERS = """
@pytest.mark.parametrize("number", range(4))
def test_use(number):
    assert shared(Sleeper).logs() == "sleeper.log:\\nstarted\\n"
"""
CRASH = """
@pytest.mark.parametrize("number", range(2))
def test_crash(number):
    shared(Sleeper)
    os._exit(1)
"""
BROKEN = """
@pytest.mark.parametrize("number", range(4))
def test_use(number):
    shared(Sleeper, command="broken")
"""
LONG = """
def test_long():
    shared(Sleeper)
    (HERE / "ready").touch()
    wait_until(lambda: False, timeout=600)
"""


@pytest.fixture
def start(root: Path, tmp_path: Path):
    """Return a function that starts pytest on some tests."""

    def act(tests: str, *options: str) -> subprocess.Popen[str]:
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["support.servers.fixtures"]\n')
        (tmp_path / "test_some.py").write_text(SERVER + tests)
        environment = {**os.environ, "PYTHONPATH": str(root / "tests"), "TMPDIR": str(tmp_path)}
        del environment["TESTS_RUN_FOLDER"]
        environment.pop("CI", None)  # where it is set, pytest prints each failure twice
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."],
            cwd=tmp_path,
            env={key: value for key, value in environment.items() if "PYTEST" not in key},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return act


def check_nothing_is_left(folder: Path) -> None:
    """Of the one server that was started there is neither a process nor a folder."""
    (pid,) = (folder / "pids").read_text().split()
    wait_until(lambda: state_of(int(pid))[0] in ("", "Z"), "the end of the server")
    assert list(folder.glob("openpai-tests-*")) == []


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_server_starts_once_and_ends_with_run(start, tmp_path: Path, options) -> None:
    """All tests of all workers use the same one."""
    output, _ = start(USERS, *options).communicate(timeout=300)
    assert "4 passed" in output, output
    check_nothing_is_left(tmp_path)


def test_server_of_crashed_workers_ends_with_run(start, tmp_path: Path) -> None:
    """A worker that crashes ends nothing; the end of the run does."""
    output, _ = start(CRASH, "-n", "2").communicate(timeout=300)
    assert "2 failed" in output, output
    check_nothing_is_left(tmp_path)


def test_server_that_does_not_start_is_tried_once(start, tmp_path: Path) -> None:
    """Every user of it fails with its log."""
    output, _ = start(BROKEN, "-n", "2").communicate(timeout=300)
    assert "4 failed" in output, output
    assert output.count("Sleeper does not start: it has ended\nsleeper.log:\nstarted") == 4
    check_nothing_is_left(tmp_path)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_with_interrupted_run(start, tmp_path: Path, signum: int) -> None:
    """So it is whether a user or a program interrupts it."""
    process = start(LONG)
    with process:
        wait_until((tmp_path / "ready").exists, "the start of the test")
        process.send_signal(signum)
        process.communicate(timeout=300)
    check_nothing_is_left(tmp_path)
