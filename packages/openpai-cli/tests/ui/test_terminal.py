"""`opai` in a real terminal: colour, width, Ctrl-C, questions, pipes that close."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from support.gate import Gate
from support.wait import wait_until

pytestmark = pytest.mark.process

OPAI = [sys.executable, "-m", "openpai.cli"]


@pytest.fixture
def terminal(local):
    """Start `opai` in a terminal of 80 columns; end whatever is left of it."""
    started = []

    def start(*arguments: str, columns: int = 80, **environ: str) -> pexpect.spawn:
        child = pexpect.spawn(
            OPAI[0],
            [*OPAI[1:], *arguments],
            dimensions=(24, columns),
            env={**os.environ, "TERM": "xterm-256color", **environ},
            encoding="utf-8",
            timeout=60,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def screen(child: pexpect.spawn) -> str:
    """Read until the command ends; return what it wrote."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before.replace("\r\n", "\n")


def without_colour(text: str) -> str:
    """Take colour codes out."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_terminal_shows_colour_and_relative_times(terminal, opai, job):
    """On a terminal states are coloured and times say how long ago."""
    name = job("exit 1")
    opai("job", "wait", name)
    text = screen(terminal("job", "list", "--keyword", name))
    assert "\x1b[31mFAILED\x1b[0m" in text
    assert "s ago" in text


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
    ids=["--no-color", "NO_COLOR", "TERM=dumb"],
)
def test_terminal_colour_can_be_disabled(terminal, job, arguments, environ):
    """An option, NO_COLOR and a dumb terminal each keep all escape codes away."""
    job("true")
    assert "\x1b" not in screen(terminal(*arguments, "job", "list", **environ))


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_terminal_width_limits_lines(terminal, job, columns):
    """Tables are cut to the terminal's width; the names stay."""
    name = job("true", suffix="_a_long_name_for_a_job")
    text = without_colour(screen(terminal("job", "list", "--keyword", name, columns=columns)))
    header, *rows = [line for line in text.split("\n") if line]
    assert max(map(len, [header, *rows])) <= columns
    assert header.startswith("NAME")


def test_job_list_shows_50_newest(terminal, job, opai):
    """On a terminal the 50 newest jobs are listed, and that there are more is said."""
    many = len(opai("job", "list", "-o", "name").stdout.splitlines())
    for _ in range(max(0, 51 - many)):
        job("true")
    text = without_colour(screen(terminal("job", "list")))
    assert "50 newest" in text
    assert len([line for line in text.split("\n") if "default" in line]) == 50


def test_ctrl_c_detaches_from_running_job(terminal, opai, job):
    """Exit code 130, and the commands to follow and to stop the job."""
    name = job("echo begun", "sleep 600")
    child = terminal("job", "logs", "-f", name)
    child.expect("begun")
    child.sendintr()
    text = without_colour(screen(child))
    assert child.exitstatus == 130
    assert f"opai job logs -f -a local alice~{name}" in text
    assert f"opai job stop -a local alice~{name}" in text
    assert "Traceback" not in text
    assert opai("job", "status", name, "-o", "json").json["state"] == "RUNNING"
    opai("job", "stop", name)


def test_ctrl_c_at_prompt_exits_130(terminal, job):
    """A command that only waits for an answer ends with 130, too, without a traceback."""
    child = terminal("cluster", "login")
    child.expect("Password")
    child.sendintr()
    text = screen(child)
    assert child.exitstatus == 130
    assert "Traceback" not in text


def test_password_prompt_hides_input(terminal, opai, server):
    """At a terminal the password is asked for; what is typed does not appear."""
    child = terminal("cluster", "login")
    child.expect("Password for alice at ")
    child.sendline(server.password)
    text = screen(child)
    assert child.exitstatus == 0
    assert server.password not in text


def test_stop_by_pattern_after_confirmation(terminal, opai, job):
    """At a terminal the jobs that match are listed and stopped after confirmation."""
    name = job("sleep 600")
    child = terminal("job", "stop", f"{name[:-2]}*")
    child.expect("Stop these 1")
    child.sendline("y")
    screen(child)
    assert child.exitstatus == 0
    assert opai("job", "wait", name).exit_code == 143


def test_stop_by_pattern_declined(terminal, opai, job):
    """Any other answer leaves the jobs alone."""
    name = job("sleep 600")
    child = terminal("job", "stop", f"{name[:-2]}*")
    child.expect("Stop these 1")
    child.sendline("n")
    screen(child)
    assert child.exitstatus == 2
    assert opai("job", "wait", name, "--timeout", "0").exit_code == 124
    opai("job", "stop", name)


def test_closed_pipe_exits_141(local, job):
    """`opai job logs | head -1`: silence, and 141 as of any program that SIGPIPE ends."""
    name = job("seq 200000")
    subprocess.run([*OPAI, "job", "wait", name], check=True, capture_output=True)
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*OPAI, "job", "logs", name], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert os.read(reader, 2) == b"1\n"
    os.close(reader)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, "")


def test_closed_terminal_ends_follow(terminal, opai, job):
    """When the terminal is closed a following command ends; the job continues."""
    name = job("echo begun", "sleep 600")
    child = terminal("job", "logs", "-f", name)
    child.expect("begun")
    child.close(force=False)
    wait_until(lambda: not child.isalive(), "the end of opai")
    assert opai("job", "status", name, "-o", "json").json["state"] == "RUNNING"
    opai("job", "stop", name)


def test_watch_shows_changes(terminal, opai, job):
    """--watch draws over itself on a screen of its own; Ctrl-C ends it with 0, the cursor back."""
    name = job("sleep 600")
    child = terminal("job", "list", "--keyword", name, "--watch")
    child.expect("RUNNING")
    opai("job", "stop", name)
    child.expect("STOPPED")
    child.sendintr()
    text = screen(child)
    assert child.exitstatus == 0
    assert text.endswith("\x1b[?25h\x1b[?1049l")


def test_watch_requires_terminal(opai, local):
    """In a pipe --watch is a usage error, not an endless stream of escape codes."""
    result = opai("job", "list", "--watch")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "terminal" in result.stderr


def test_watch_follows_terminal_width(terminal, opai, job):
    """The next picture has the new width; nothing is ever wiped before it is drawn over."""
    name = job("sleep 600", suffix="_a_long_name_for_a_job")
    child = terminal("job", "list", "--keyword", name, "--watch", columns=120)
    child.expect("default")
    child.setwinsize(24, 40)
    wait_until(lambda: max(map(len, next_picture(child))) <= 40, show=lambda: child.before)
    child.sendintr()
    assert "\x1b[2J" not in screen(child)
    opai("job", "stop", name)


def next_picture(child: pexpect.spawn) -> list[str]:
    """Read the next picture of a live list; return its lines without codes."""
    child.expect_exact("\x1b[H")
    child.expect_exact("\x1b[J")
    return without_colour(child.before).replace("\x1b[K", "").replace("\r", "").split("\n")


@pytest.mark.parametrize(("term", "drawn"), [("xterm", True), ("dumb", False)])
def test_progress_requires_cursor_control(terminal, opai, local, tmp_path, term, drawn):
    """Waiting for a sweep shows how far it is, and wipes that away; a dumb terminal shows none."""
    gate = Gate(tmp_path / "go")
    Path("job.yaml").write_text(
        "protocolVersion: 2\nname: NAME\ntype: job\nparameters: {n: 0}\n"
        "prerequisites: [{name: image, type: dockerimage, uri: img}]\n"
        "taskRoles:\n  main:\n    instances: 1\n    dockerImage: image\n"
        "    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}\n"
        "    commands: ['GATE # <% $parameters.n %>']\n"
        "".replace("NAME", f"progress_{term}").replace("GATE", gate.command)
    )
    assert opai("job", "sweep", "job.yaml", "-p", "n=1,2").exit_code == 0
    asked = local.faults.delay(0, path="/jobs")
    child = terminal("sweep", "wait", f"progress_{term}", TERM=term)
    wait_until(lambda: asked.fired >= 3, "the third look at the jobs")
    local.faults.clear()
    seen = ""
    if drawn:
        child.expect("Waiting for progress_xterm")
        seen = child.before + child.after
    gate.open()
    text = seen + screen(child)
    assert ("Waiting for progress_xterm" in text) == drawn
    assert ("\x1b" in text) == drawn
    assert text.rstrip().endswith(f"progress_{term}: 2 SUCCEEDED.")
