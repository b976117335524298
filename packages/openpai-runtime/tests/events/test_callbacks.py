"""Callbacks run at their events, and never change how the command ended unless they may."""

from __future__ import annotations

import subprocess
from typing import Any, Callable

import pytest
from support.wait import wait_until

from openpai.runtime.exit_codes import CALLBACK_FAILED, OUTPUTS_NOT_SAVED, TIMED_OUT

pytestmark = pytest.mark.process


def on(event: str, *commands: str, **more: Any) -> dict[str, Any]:
    """A callback."""
    return {"on": event, "commands": list(commands), **more}


EVERY = [
    on(event, f"echo {event} ${{OPENPAI_EXIT_CODE:--}}")
    for event in ("start", "success", "failure", "exit")
]


def test_callbacks_of_successful_task(task: Any) -> None:
    """start, the command, success, exit."""
    task.section(callbacks=EVERY)
    assert task.run("echo", "ran").stdout == "start -\nran\nsuccess 0\nexit 0\n"


def test_callbacks_of_failed_task(task: Any) -> None:
    """start, the command, failure, exit; callbacks know the exit code."""
    task.section(callbacks=EVERY)
    done = task.bash("echo ran; exit 3")
    assert done.stdout == "start -\nran\nfailure 3\nexit 3\n"
    assert done.returncode == 3


@pytest.mark.parametrize(("code", "called"), [(137, True), (1, False)])
def test_failure_callback_selects_exit_codes(task: Any, code: int, called: bool) -> None:
    """The key exitCodes chooses."""
    task.section(callbacks=[on("failure", "echo called", exitCodes=[137, 139])])
    assert (task.bash(f"exit {code}").stdout == "called\n") is called


@pytest.mark.parametrize(("role", "called"), [("worker", True), ("ps", False)])
def test_callback_selects_task_roles(task: Any, role: str, called: bool) -> None:
    """The key taskRoles chooses."""
    task.document["taskRoles"]["ps"] = {}
    task.section(callbacks=[on("start", "echo called", taskRoles=[role])])
    assert (task.run("true").stdout == "called\n") is called


def test_stop_callback_runs_beside_command(task: Any, finish: Callable[..., Any]) -> None:
    """The command gets the signal at once; the callback knows which it was."""
    task.section(callbacks=[on("stop", "echo stop $OPENPAI_SIGNAL"), *EVERY])
    process = task.start(
        "bash", "-c", "trap 'echo noticed; exit 7' TERM; echo up; while :; do sleep 0.05; done"
    )
    while process.stdout.readline() != "up\n":
        pass
    process.terminate()
    done = finish(process)
    assert done.returncode == 7
    assert set(done.stdout.splitlines()) == {"noticed", "stop 15", "failure 7", "exit 7"}
    assert done.stdout.endswith("failure 7\nexit 7\n")


def test_time_limit_ends_command_of_job(task: Any) -> None:
    """The event timeout is called, the command is asked to end, and the exit code is 124."""
    task.section(timeout=0.3, callbacks=[on("timeout", "echo late"), *EVERY])
    done = task.bash("sleep 600")
    assert done.returncode == TIMED_OUT
    assert done.stdout == "start -\nlate\nfailure 124\nexit 124\n"
    assert "time limit" in done.stderr
    assert task.manifest["event"] == "timeout"


def test_time_limit_excludes_exit_callbacks(task: Any) -> None:
    """The limit is for the command, not for what comes after it."""
    task.section(timeout=2, callbacks=[on("exit", "sleep 2.2; echo end")])
    done = task.run("true")
    assert (done.returncode, done.stdout) == (0, "end\n")


def test_interval_callback_repeats(task: Any, finish: Callable[..., Any]) -> None:
    """Every time that the interval has passed, until the command ends."""
    task.section(callbacks=[on("interval", "echo tick >>ticks", every=0.1)])
    process = task.start("cat", stdin=subprocess.PIPE)
    ticks = task.work / "ticks"
    wait_until(lambda: ticks.exists() and ticks.read_text().count("tick") >= 3)
    process.stdin.close()
    process.stdin = None
    assert finish(process).returncode == 0


def test_interval_callback_does_not_overlap(task: Any) -> None:
    """A slow one is not overtaken by itself, and does not hold up the end."""
    slow = on("interval", "echo begun; touch begun; sleep 600", every=0.1)
    clock = on("interval", "test ! -e begun || echo >>ticks", every=0.11)
    task.section(callbacks=[slow, clock])
    script = "until test $(cat ticks | wc -l) -ge 3; do sleep 0.05; done"
    assert task.bash(f"touch ticks; {script}").stdout == "begun\n"


@pytest.mark.parametrize("name", ["FC_FRAMEWORK_ATTEMPT_ID", "FC_TASK_ATTEMPT_ID"])
def test_retry_callback_runs_in_later_attempt(task: Any, name: str) -> None:
    """They come before start, and know the number of attempts."""
    task.section(callbacks=[on("start", "echo start"), on("retry", "echo retry $OPENPAI_ATTEMPT")])
    task.env[name] = "2"
    assert task.run("echo", "ran").stdout == "retry 2\nstart\nran\n"


def test_retry_callback_skips_first_attempt(task: Any) -> None:
    """Without an earlier attempt retry is not called."""
    task.section(callbacks=[on("retry", "echo retry")])
    assert task.run("true").stdout == ""


def test_callbacks_run_in_order(task: Any) -> None:
    """One after the other, each as one script."""
    task.section(callbacks=[on("exit", "x=1", "sleep 0.2; echo a $x"), on("exit", "echo b")])
    assert task.run("true").stdout == "a 1\nb\n"


def test_failing_callback_keeps_exit_code(task: Any) -> None:
    """Without failurePolicy the command's own end counts."""
    task.section(callbacks=[on("success", "exit 5")])
    done = task.run("true")
    assert done.returncode == 0
    assert "A callback on success ended with exit code 5." in done.stderr


def test_failure_policy_fail_fails_task(task: Any) -> None:
    """failurePolicy: fail makes a good task end with the runtime's own code."""
    task.section(callbacks=[on("success", "exit 5", failurePolicy="fail")])
    assert task.run("true").returncode == CALLBACK_FAILED


def test_failing_callback_keeps_failed_exit_code(task: Any) -> None:
    """Even one that may fail the task."""
    task.section(callbacks=[on("failure", "exit 5", failurePolicy="fail")])
    assert task.bash("exit 3").returncode == 3


def test_failing_start_callback_prevents_command(task: Any) -> None:
    """What has to be there before the command is not there."""
    task.section(callbacks=[on("start", "exit 5", failurePolicy="fail")])
    done = task.run("echo", "ran")
    assert (done.returncode, done.stdout) == (CALLBACK_FAILED, "")
    assert "not started" in done.stderr


def test_hanging_callback_is_killed(task: Any, is_gone: Callable[[int], bool]) -> None:
    """After its own time limit, with everything that it has started."""
    task.section(
        callbacks=[on("success", "trap '' TERM", "sleep 600 & echo $!", "wait", timeout=2)]
    )
    done = task.run("true")
    assert done.returncode == 0
    assert "time limit" in done.stderr
    assert is_gone(int(done.stdout))


def test_callbacks_have_no_input(task: Any) -> None:
    """The command's input is not eaten by a callback."""
    task.section(callbacks=[on("start", "cat")])
    process = task.start("cat", stdin=subprocess.PIPE)
    assert process.communicate("for the command", timeout=60)[0] == "for the command"


def test_outputs_of_failure_callbacks_are_saved(task: Any) -> None:
    """Outputs are saved after them."""
    task.section(outputs=[{"path": "dump"}], callbacks=[on("failure", "echo x >dump")])
    task.run("false")
    assert (task.output / "dump").exists()


@pytest.mark.parametrize("saved", [True, False])
def test_exit_callback_receives_outputs_saved(task: Any, saved: bool) -> None:
    """The event exit is last."""
    task.section(outputs=[{"path": "a"}], callbacks=[on("exit", "echo $OPENPAI_OUTPUTS_SAVED")])
    spoil = "" if saved else 'mkdir "$PAI_SDK_JOB_OUTPUT_DIR/a"'
    done = task.bash(f"echo x >a; {spoil}")
    assert done.stdout == f"{str(saved).lower()}\n"
    assert done.returncode == (0 if saved else OUTPUTS_NOT_SAVED)


def test_stop_during_start_callback_prevents_command(task: Any, finish: Callable[..., Any]) -> None:
    """A signal during the start callbacks cuts them short; exit callbacks run all the same."""
    task.section(callbacks=[on("start", "echo up; sleep 600"), on("exit", "echo end")])
    process = task.start("echo", "ran")
    assert process.stdout.readline() == "up\n"
    process.terminate()
    done = finish(process)
    assert (done.returncode, done.stdout) == (143, "end\n")
