"""Which failures a callback of the job is for."""

from __future__ import annotations

from typing import Any, Callable

import pytest

pytestmark = pytest.mark.process


def for_failure(**conditions: Any) -> dict[str, Any]:
    """A callback that says it was called."""
    return {"on": "failure", "commands": ["echo called >called"], **conditions}


def run(task: Any, script: str) -> bool:
    """Run a script with its output in a file; return whether the callback was called."""
    with (task.work.parent / "log").open("w") as log:
        task.start("bash", "-c", script, stdout=log, stderr=log).wait(60)
    return bool((task.work / "called").exists())


@pytest.mark.parametrize(("script", "called"), [("kill -KILL $$", True), ("exit 9", False)])
def test_failure_callback_selects_signal(task: Any, script: str, called: bool) -> None:
    """The key signals chooses by name."""
    task.section(callbacks=[for_failure(signals=["SIGKILL", "SIGSEGV"])])
    assert run(task, script) is called


@pytest.mark.parametrize(("pattern", "called"), [("loss: nan$", True), ("^nan", False)])
def test_failure_callback_selects_log_pattern(task: Any, pattern: str, called: bool) -> None:
    """The key logPatterns looks at each line of the log's end."""
    task.section(callbacks=[for_failure(logPatterns=["never", pattern])])
    assert run(task, "echo 'step 3, loss: nan'; echo bye; exit 1") is called


def test_failure_callback_ignores_output_of_runtime(task: Any) -> None:
    """What it explains a failure with must not be taken for the command's."""
    task.section(callbacks=[for_failure(logPatterns=["failed with exit code"])])
    assert not run(task, "exit 3")


@pytest.mark.parametrize(("code", "called"), [(3, True), (4, False)])
def test_failure_callback_requires_all_conditions(task: Any, code: int, called: bool) -> None:
    """Of several keys each; of a list one."""
    task.section(callbacks=[for_failure(exitCodes=[3, 5], logPatterns=["nan"])])
    assert run(task, f"echo nan; exit {code}") is called


def test_stop_callback_selects_signal(task: Any, finish: Callable[..., Any]) -> None:
    """For stop, signals names what asked the task to end."""
    tell = [
        {"on": "stop", "signals": [name], "commands": [f"echo {name}"]}
        for name in ("SIGINT", "SIGTERM")
    ]
    task.section(callbacks=tell)
    process = task.start("bash", "-c", "echo up; exec sleep 600")
    process.stdout.readline()
    process.terminate()
    assert finish(process).stdout == "SIGTERM\n"
