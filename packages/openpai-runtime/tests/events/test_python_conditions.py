"""Conditions, intervals and time limits of callback functions."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any

import pytest
from support.gate import Gate
from support.wait import wait_until

from openpai.runtime import Event, Runtime
from openpai.runtime.exit_codes import CALLBACK_FAILED, TIMED_OUT

PYTHON = sys.executable


@pytest.fixture
def app() -> Runtime:
    """A program outside of any job."""
    return Runtime.from_env({})


def counted(app: Runtime, event: str, **conditions: Any) -> list[Event]:
    """Collect the events that a function with these conditions is called for."""
    seen: list[Event] = []
    app.on(event, **conditions)(seen.append)
    return seen


@pytest.mark.process
@pytest.mark.parametrize(("names", "called"), [(["SIGSEGV"], 1), (["SIGKILL"], 0)])
def test_failure_function_selects_signal(app: Runtime, names: list[str], called: int) -> None:
    """Signals chooses by what ended the command."""
    seen = counted(app, "failure", signals=names)
    assert app.run(["sh", "-c", "kill -SEGV $$"]) == 139
    assert len(seen) == called


@pytest.mark.parametrize(("pattern", "called"), [("no such .*fold", 1), ("out of memory", 0)])
def test_failure_function_selects_traceback(app: Runtime, pattern: str, called: int) -> None:
    """log_patterns are looked for in the exception that ended the function, too."""
    seen = counted(app, "failure", log_patterns=[pattern])

    def main() -> None:
        raise ValueError("no such nice folder")

    with pytest.raises(ValueError, match="no such"):
        app.run(main)
    assert len(seen) == called


@pytest.mark.process
def test_stop_function_selects_signal(app: Runtime) -> None:
    """Signals chooses by what asked the command to end."""
    term, interrupt = (counted(app, "stop", signals=[name]) for name in ("SIGTERM", "SIGINT"))
    assert app.run(["sh", "-c", "kill -TERM $PPID; sleep 600"]) == 143
    assert ([event.signal for event in term], interrupt) == ([15], [])


@pytest.mark.process
@pytest.mark.parametrize("kind", ["function", "command"])
def test_interval_function_repeats_until_end(app: Runtime, kind: str, tmp_path: Any) -> None:
    """While the function or the command runs, and no longer."""
    before = set(threading.enumerate())
    seen = counted(app, "interval", every=0.02)
    gate = Gate(tmp_path / "go")
    app.on("interval", every="0.02s")(lambda _: gate.open() if len(seen) > 2 else None)
    if kind == "function":
        app.run(lambda: wait_until(gate.path.exists))
    else:
        app.run(["sh", "-c", gate.command])
    assert len(seen) >= 3
    assert threading.current_thread() is threading.main_thread()
    wait_until(lambda: set(threading.enumerate()) <= before, "the end of the clocks")


def test_time_limit_ends_function(app: Runtime) -> None:
    """Timeout callbacks are called, finally blocks run, and the exit code is 124."""
    late, failed = counted(app, "timeout"), counted(app, "failure")
    unwound: list[bool] = []

    def main() -> None:
        try:
            time.sleep(600)
        finally:
            unwound.append(True)

    with pytest.raises(SystemExit) as caught:
        app.run(main, timeout="0.5s")
    assert caught.value.code == TIMED_OUT
    assert (len(late), failed[0].exit_code, unwound) == (1, TIMED_OUT, [True])


@pytest.mark.process
def test_time_limit_ends_command(app: Runtime) -> None:
    """As that of a job does."""
    late = counted(app, "timeout")
    assert app.run([PYTHON, "-c", "import time; time.sleep(600)"], timeout=0.3) == TIMED_OUT
    assert len(late) == 1


def test_time_limit_is_cancelled_at_end(app: Runtime) -> None:
    """The clock is stopped with it."""
    assert app.run(lambda: "done", timeout=60) == "done"
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_time_limit_requires_main_thread(app: Runtime) -> None:
    """Elsewhere it is refused, rather than forgotten."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            app.run(lambda: None, timeout=1)
        except ValueError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


@pytest.mark.parametrize("may_fail", [False, True])
def test_hanging_callback_function_is_abandoned(
    app: Runtime, may_fail: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its time limit is said, and counts as its failure."""
    hold = threading.Event()
    app.on("success", timeout="0.05s", may_fail=may_fail)(lambda _: hold.wait(60))
    try:
        if may_fail:
            with pytest.raises(SystemExit) as caught:
                app.run(lambda: None)
            assert caught.value.code == CALLBACK_FAILED
        else:
            app.run(lambda: None)
    finally:
        hold.set()
    assert "has run for 0.05 s, its time limit" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("event", "conditions", "message"),
    [
        ("exit", {"exit_codes": [1]}, "mean nothing on exit"),
        ("success", {"log_patterns": ["x"]}, "mean nothing on success"),
        ("exit", {"signals": ["SIGTERM"]}, "Signals mean nothing on exit"),
        ("failure", {"signals": ["TERM"]}, "'TERM' is not one of: SIGHUP"),
        ("interval", {}, "needs a time"),
        ("interval", {"every": "soon"}, "invalid duration 'soon'"),
        ("interval", {"every": 0}, "invalid duration '0'"),
        ("exit", {"every": 5}, "needs a time such as '5m'; others have none"),
        ("exit", {"timeout": "x"}, "invalid duration 'x'"),
    ],
)
def test_invalid_conditions_are_refused(
    app: Runtime, event: str, conditions: Any, message: str
) -> None:
    """At once, not when the event comes."""
    with pytest.raises(ValueError, match=message):
        app.on(event, **conditions)
