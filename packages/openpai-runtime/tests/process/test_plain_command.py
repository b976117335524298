"""A command for which the job asks nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.process


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exit_code_is_that_of_command(task: Any, code: int) -> None:
    """Whatever the command returns is returned."""
    assert task.bash(f"exit {code}").returncode == code


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "ABRT", "PIPE"])
def test_exit_code_of_signal_is_128_plus_number(task: Any, name: str) -> None:
    """A signal becomes what a shell would say."""
    import signal

    number = signal.Signals[f"SIG{name}"]
    assert task.bash(f"ulimit -c 0; kill -{name} $$").returncode == 128 + number


def test_missing_command_exits_127(task: Any) -> None:
    """The sentence names the command."""
    done = task.run("no-such-command")
    assert done.returncode == 127
    assert done.stderr == (
        "[openpai-runtime] 'no-such-command' cannot be started: No such file or directory.\n"
    )


def test_unexecutable_command_exits_126(task: Any) -> None:
    """A file without the permission is not started."""
    (task.work / "data").write_text("x")
    assert task.run("./data").returncode == 126


def test_arguments_are_passed_unchanged(task: Any) -> None:
    """Blanks, quotes, options and an empty argument are passed on."""
    words = ["a b", "--help", "-x", "", "'\"$HOME", "--"]
    done = task.run(sys.executable, "-c", "import sys; print(sys.argv[1:])", *words)
    assert done.stdout == f"{words}\n"


def test_double_dash_is_optional(task: Any) -> None:
    """`run COMMAND` is `run -- COMMAND`."""
    done = subprocess.run(
        [sys.executable, "-m", "openpai.runtime", "run", "echo", "--", "x"],
        capture_output=True,
        text=True,
        check=True,
        cwd=task.work,
    )
    assert done.stdout == "-- x\n"


def test_input_and_output_are_unchanged(task: Any) -> None:
    """The command reads and writes the very files that the runtime was given."""
    process = task.start("cat", stdin=subprocess.PIPE)
    out, err = process.communicate("a\0\r\n\x1b[1m" * 1000, timeout=60)
    assert (out, err) == ("a\0\n\x1b[1m" * 1000, "")


def test_success_writes_nothing(task: Any) -> None:
    """A plain command leaves stderr alone."""
    assert task.run("true").stderr == ""


def test_command_environment_names_runtime(task: Any) -> None:
    """The mark names the task, so that a job inside a job gets its own runtime."""
    assert task.bash("echo $OPENPAI_RUNTIME_ACTIVE").stdout == "pod-1\n"


def test_ignored_signals_are_inherited(task: Any) -> None:
    """What nohup and shells set up stays as it is, and nothing is added."""
    before = ("bash", "-c", 'trap "" HUP USR2; exec "$@"', "-")
    show = ("grep", "-E", "SigIgn|SigBlk|SigCgt", "/proc/self/status")
    plain = subprocess.run([*before, *show], capture_output=True, text=True, check=True)
    assert task.run(*show, before=before).stdout == plain.stdout


@pytest.mark.parametrize("argv", [[], ["run"], ["run", "--"], ["walk"]])
def test_wrong_usage_prints_usage(argv: list[str]) -> None:
    """Exit code 2, and what there is on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "openpai.runtime", *argv],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: openpai-runtime")


@pytest.mark.parametrize("argv", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version_use_stdout(argv: list[str]) -> None:
    """What was asked for is data."""
    done = subprocess.run(
        [sys.executable, "-m", "openpai.runtime", *argv], capture_output=True, text=True, check=True
    )
    assert "openpai-runtime" in done.stdout
    assert done.stderr == ""
