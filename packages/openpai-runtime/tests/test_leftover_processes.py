"""What a command leaves running does not hold up its task."""

from __future__ import annotations

from typing import Any, Callable


def test_a_background_process_does_not_hold_the_output_open(
    task: Any, is_gone: Callable[[int], bool]
) -> None:
    """A server left in the background is ended with its command, and the task is over."""
    done = task.bash("sleep 300 & echo $!; exit 4")
    assert done.returncode == 4
    assert is_gone(int(done.stdout))


def test_a_leftover_is_asked_before_it_is_killed(task: Any) -> None:
    """It gets SIGTERM first, and time to write down what it has."""
    task.section(outputs=[{"path": "left"}])
    script = "(trap 'echo saved >left; exit' TERM; echo ready; while :; do sleep 0.05; done) &"
    done = task.bash(f"coproc C {{ {script} wait; }}; read -r line <&${{C[0]}}; echo $line")
    assert done.stdout == "ready\n"
    assert (task.output / "left").read_text() == "saved\n"


def test_a_leftover_that_ignores_sigterm_is_killed(
    task: Any, is_gone: Callable[[int], bool]
) -> None:
    """Patience has an end."""
    done = task.bash(
        "(trap '' TERM; echo $BASHPID; exec 1>&-; while :; do sleep 1; done) & sleep 0.2"
    )
    assert is_gone(int(done.stdout))


def test_a_daemon_in_a_session_of_its_own_is_ended_too(
    task: Any, is_gone: Callable[[int], bool]
) -> None:
    """Leaving the process group does not keep a process alive."""
    done = task.bash("setsid bash -c 'echo $$; exec sleep 300' & sleep 0.3")
    assert is_gone(int(done.stdout))
