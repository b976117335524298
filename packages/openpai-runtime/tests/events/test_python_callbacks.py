"""Callbacks that are functions of a Python program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

import openpai.runtime
from openpai.runtime import Event, Runtime
from openpai.runtime.exit_codes import CALLBACK_FAILED

EVENTS = ("start", "retry", "stop", "success", "failure", "exit")


def recorded(app: Runtime) -> list[tuple[str, int | None]]:
    """Let an application record every event and its exit code."""
    seen: list[tuple[str, int | None]] = []
    for name in EVENTS:
        app.on(name)(lambda event: seen.append((event.name, event.exit_code)))
    return seen


def test_public_names_can_be_imported() -> None:
    """Everything in __all__ can be imported."""
    assert sorted(openpai.runtime.__all__) == dir(openpai.runtime)
    for name in openpai.runtime.__all__:
        assert getattr(openpai.runtime, name)
    with pytest.raises(AttributeError):
        openpai.runtime.nothing  # noqa: B018 - the access is the test


def test_function_returning_succeeds() -> None:
    """start, success, exit; its value is returned."""
    app = Runtime.from_env({})
    seen = recorded(app)
    assert app.run(lambda: "result") == "result"
    assert seen == [("start", None), ("success", 0), ("exit", 0)]


@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("x"), 1), (SystemExit(7), 7), (SystemExit("text"), 1), (KeyboardInterrupt(), 130)],
)
def test_function_raising_fails(error: BaseException, code: int) -> None:
    """The callbacks run, and the exception is raised."""
    app = Runtime.from_env({})
    seen = recorded(app)

    def main() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        app.run(main)
    assert caught.value is error
    assert seen == [("start", None), ("failure", code), ("exit", code)]


@pytest.mark.parametrize("code", [None, 0])
def test_function_calling_sys_exit_succeeds(code: int | None) -> None:
    """SystemExit without a code is what Python takes for success."""
    app = Runtime.from_env({})
    seen = recorded(app)
    with pytest.raises(SystemExit):
        app.run(lambda: sys.exit(code))
    assert seen[1:] == [("success", 0), ("exit", 0)]


def test_failure_callback_receives_error() -> None:
    """They may look at what was raised."""
    app = Runtime.from_env({})
    seen: list[Any] = []
    app.on("failure")(lambda event: seen.append(event.error))
    with pytest.raises(ZeroDivisionError):
        app.run(lambda: 1 / 0)
    assert isinstance(seen[0], ZeroDivisionError)


@pytest.mark.process
def test_command_runs_as_child() -> None:
    """Its exit code is returned, and chooses the failure callbacks."""
    app = Runtime.from_env({})
    seen: list[str] = []
    app.on("failure", exit_codes=[137])(lambda event: seen.append("137"))
    app.on("failure", exit_codes=[3])(lambda event: seen.append("3"))
    assert app.run(["sh", "-c", "exit 3"]) == 3
    assert seen == ["3"]


@pytest.mark.process
def test_subreaper_ends_with_command() -> None:
    """What a program starts later is orphaned to whom it would be without us."""
    code = (
        "import ctypes; from openpai.runtime import Runtime; Runtime.from_env({}).run(['true']);"
        "found = ctypes.c_int(); ctypes.CDLL(None).prctl(37, ctypes.byref(found), 0, 0, 0);"
        "print(found.value)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "0\n"


def test_task_context_is_known(tmp_path: Path) -> None:
    """Inside a job the context, the attempt and the output folder are known."""
    app = Runtime.from_env(
        {
            "PAI_FRAMEWORK_NAME": "alice~mnist",
            "PAI_CURRENT_TASK_ROLE_NAME": "worker",
            "PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": "2",
            "FC_TASK_ATTEMPT_ID": "1",
            "PAI_SDK_JOB_OUTPUT_DIR": str(tmp_path),
        }
    )
    seen: list[Event] = []
    app.on("retry")(seen.append)
    app.run(lambda: None)
    assert app.output_folder == tmp_path
    assert (seen[0].role, seen[0].index, seen[0].attempt) == ("worker", 2, 1)


def test_output_folder_outside_job() -> None:
    """Outside of a job it is a folder of the working directory."""
    app = Runtime.from_env({})
    assert app.context is None
    assert app.output_folder == Path("output")


@pytest.mark.parametrize("name", ["end", "stops"])
def test_unknown_event_is_refused(name: str) -> None:
    """A misspelled event is an error at once."""
    with pytest.raises(ValueError, match="is not one of: start"):
        Runtime.from_env({}).on(name)


def test_exit_codes_require_failure_event() -> None:
    """Success has one code only."""
    with pytest.raises(ValueError, match="mean nothing on success"):
        Runtime.from_env({}).on("success", exit_codes=[0])


def broken(event: Event) -> None:
    """A callback that fails."""
    raise RuntimeError("no")


def test_failing_function_callback_is_reported(capfd: Any) -> None:
    """The others are called, and the result is the function's."""
    app = Runtime.from_env({})
    app.on("success")(broken)
    seen = recorded(app)
    assert app.run(lambda: 5) == 5
    assert seen[-1] == ("exit", 0)
    assert "The callback broken on success failed: RuntimeError('no')" in capfd.readouterr().err


def test_may_fail_callback_fails_program() -> None:
    """With may_fail the exit code is the runtime's own."""
    app = Runtime.from_env({})
    app.on("success", may_fail=True)(broken)
    with pytest.raises(SystemExit) as caught:
        app.run(lambda: 5)
    assert caught.value.code == CALLBACK_FAILED


def test_may_fail_start_callback_prevents_function() -> None:
    """The function is not called."""
    app = Runtime.from_env({})
    app.on("start", may_fail=True)(broken)
    ran: list[int] = []
    with pytest.raises(SystemExit):
        app.run(lambda: ran.append(1))
    assert ran == []


@pytest.mark.process
def test_may_fail_callback_keeps_exit_code_of_command() -> None:
    """The command's own failure counts more."""
    app = Runtime.from_env({})
    app.on("failure", may_fail=True)(broken)
    assert app.run(["sh", "-c", "exit 3"]) == 3


PROGRAM = """
import sys, time
from openpai.runtime import Runtime
app = Runtime.from_env()
@app.on("stop")
def stop(event):
    print("stop", event.signal, flush=True)
@app.on("exit")
def end(event):
    print("exit", event.exit_code, flush=True)
def main():
    try:
        print("ready", flush=True)
        time.sleep(600)
    finally:
        print("finally", flush=True)
app.run({main})
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("main", "expected"),
    [
        ("main", "stop 15\nfinally\nexit 143\n"),
        ('["sh", "-c", "echo ready; exec sleep 600"]', "stop 15\nexit 143\n"),
    ],
)
def test_sigterm_stops_program_in_order(main: str, expected: str) -> None:
    """The stop callbacks are called, the function unwinds, and exit callbacks run."""
    program = PROGRAM.replace("{main}", main)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.read() == expected
    assert process.returncode == (143 if main == "main" else 0)


def test_signal_handler_is_restored() -> None:
    """After the run SIGTERM means what it meant before."""
    before = signal.getsignal(signal.SIGTERM)
    Runtime.from_env({}).run(lambda: None)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.process
def test_program_and_job_callbacks_both_run(task: Any) -> None:
    """The job's callbacks go around the program's own."""
    task.section(callbacks=[{"on": "exit", "commands": ["echo job exit"]}])
    program = (
        "from openpai.runtime import Runtime\n"
        "app = Runtime.from_env()\n"
        "app.on('exit')(lambda event: print('own exit', event.role, flush=True))\n"
        "app.run(lambda: (app.output_folder / 'a').write_text('x'))\n"
    )
    done = task.run(sys.executable, "-c", program)
    assert done.stdout == "own exit worker\njob exit\n"
    assert (task.output / "a").read_text() == "x"


@pytest.fixture
def installed(task: Any, tmp_path: Path) -> Callable[[str], None]:
    """Offer a function of a package as the entry point ``team-notify``."""

    def install(source: str) -> None:
        site = tmp_path / "site"
        info = site / "team-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[openpai.runtime]\nteam-notify = team:notify\nteam.idle = team:idle\n"
        )
        (site / "team.py").write_text(source)
        task.env["PYTHONPATH"] = str(site)

    return install


@pytest.mark.process
def test_entry_point_function_is_called(task: Any, installed: Callable[[str], None]) -> None:
    """A callback names it, and it gets the event."""
    installed("def notify(event): print('notified', event.name, event.exit_code, flush=True)")
    task.section(callbacks=[{"on": "failure", "call": "team-notify"}])
    done = task.bash("exit 4")
    assert (done.returncode, done.stdout) == (4, "notified failure 4\n")


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def notify(event): raise KeyError('x')", "The function 'team-notify' failed: KeyError"),
        ("import no_such_module", "The function 'team-notify' failed: ModuleNotFoundError"),
    ],
)
def test_failing_entry_point_is_reported(
    task: Any, installed: Callable[[str], None], source: str, message: str
) -> None:
    """It counts as a callback that failed."""
    installed(source)
    task.section(callbacks=[{"on": "exit", "call": "team-notify", "failurePolicy": "fail"}])
    done = task.run("true")
    assert done.returncode == CALLBACK_FAILED
    assert message in done.stderr


@pytest.mark.process
def test_unknown_entry_point_function_is_named(task: Any) -> None:
    """The sentence lists what is offered."""
    task.section(callbacks=[{"on": "exit", "call": "nothing"}])
    assert "offers the function 'nothing' (offered: " in task.run("true").stderr


@pytest.mark.process
def test_entry_point_event_fires(task: Any, installed: Callable[[str], None]) -> None:
    """A function returns each time that its event has happened; callbacks wait for its name."""
    wait = "while not os.path.exists('idle'): time.sleep(0.01)"
    installed(f"import os, time\ndef idle(event):\n    {wait}\n")
    task.section(callbacks=[{"on": "team.idle", "commands": ["echo $OPENPAI_EVENT; rm idle"]}])
    happen = "touch idle; while test -e idle; do sleep 0.01; done"
    done = task.bash(f"{happen}; {happen}; echo ran")
    assert done.stdout.splitlines()[:2] == ["team.idle", "team.idle"], done.stderr
    assert "ran" in done.stdout
    assert done.stderr == ""


@pytest.mark.process
def test_unknown_entry_point_event_is_reported(task: Any, tmp_path: Path) -> None:
    """The command runs all the same."""
    task.section(callbacks=[{"on": "team.busy", "commands": ["echo never"]}])
    said = tmp_path / "said"
    said_so = f"grep -q \"offers the function 'team.busy'\" {said}"
    with said.open("w") as stderr:
        done = task.bash(f"until {said_so}; do sleep 0.05; done; echo ran", stderr=stderr)
    assert (done.returncode, done.stdout) == (0, "ran\n")
