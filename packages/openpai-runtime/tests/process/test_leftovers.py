"""What a command leaves running does not hold up its task."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from openpai.runtime.exit_codes import NOT_READY

pytestmark = pytest.mark.process


def test_background_process_is_ended_with_command(
    task: Any, is_gone: Callable[[int], bool]
) -> None:
    """A server left in the background is ended with its command, and the task is over."""
    done = task.bash("sleep 600 & echo $!; exit 4")
    assert done.returncode == 4
    assert is_gone(int(done.stdout))


def test_leftover_process_receives_sigterm_first(task: Any) -> None:
    """It gets SIGTERM first, and time to write down what it has."""
    task.section(outputs=[{"path": "left"}])
    script = "(trap 'echo saved >left; exit' TERM; echo ready; while :; do sleep 0.05; done) &"
    done = task.bash(f"coproc C {{ {script} wait; }}; read -r line <&${{C[0]}}; echo $line")
    assert done.stdout == "ready\n"
    assert (task.output / "left").read_text() == "saved\n"


def test_leftover_process_ignoring_sigterm_is_killed(
    task: Any, is_gone: Callable[[int], bool]
) -> None:
    """It is killed after a short time."""
    done = task.bash(
        "(trap '' TERM; echo $BASHPID; touch up; exec 1>&-; while :; do sleep 1; done) & "
        "until test -e up; do sleep 0.05; done"
    )
    assert is_gone(int(done.stdout))


def test_daemon_in_own_session_is_ended(task: Any, is_gone: Callable[[int], bool]) -> None:
    """Leaving the process group does not keep a process alive."""
    done = task.bash(
        "setsid bash -c 'echo $$; touch up; exec sleep 600' & until test -e up; do sleep 0.05; done"
    )
    assert is_gone(int(done.stdout))


def test_leftovers_of_preparation_are_ended(
    task: Any, tmp_path: Path, is_gone: Callable[[int], bool]
) -> None:
    """A command that was never started has no group; that of the runtime gets no signal."""
    (tmp_path / "git").write_text(
        f"#!/bin/sh\nsleep 600 >&- 2>&- &\necho $! >{tmp_path}/left\nexit 1\n"
    )
    (tmp_path / "git").chmod(0o755)
    task.env["PATH"] = f"{tmp_path}:{task.env['PATH']}"
    task.section(git=[{"repository": "https://example.invalid/code", "commit": "main"}])
    launcher = ("bash", "-c", '"$@"; echo "rc=$?"', "bash")  # in the group that must live on
    done = task.run("echo", "never", before=launcher, start_new_session=True)
    assert (done.returncode, done.stdout) == (0, f"rc={NOT_READY}\n")
    assert is_gone(int((tmp_path / "left").read_text()))
