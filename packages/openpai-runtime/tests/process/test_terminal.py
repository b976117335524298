"""A terminal stays the user's: keys and job control work as without the runtime."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process

LAUNCH = "import sys; from openpai.runtime.cli.main import main; sys.exit(main())"


class Screen:
    """A terminal with an interactive bash on the other side.

    What is typed is echoed; scripts are in files so that what they print is not typed anywhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "rt").write_text(f'exec {sys.executable} -c "{LAUNCH}" run -- bash "$@"\n')
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["PS1"] = "<prompt>"
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.text = ""
        self.until("<prompt>")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.handle, keys.encode())

    def run(self, script: str, after: str = "") -> None:
        """Type a line that runs a script under the runtime."""
        (self.folder / "script").write_text(script)
        self.type(f"bash rt script {after}\n")

    def until(self, wanted: str) -> str:
        """Read until a text appears; return what came before it, and forget all of it."""
        wait_until(lambda: wanted in self.read(), repr(wanted), show=lambda: self.text)
        before, _, self.text = self.text.partition(wanted)
        return before

    def read(self) -> str:
        """Read what has appeared; return all since the last text that was waited for."""
        while select.select([self.handle], [], [], 0)[0]:
            self.text += os.read(self.handle, 4096).decode()
        return self.text

    def close(self) -> None:
        """Hang up."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.handle)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A terminal."""
    made = Screen(tmp_path)
    yield made
    made.close()


def test_terminal_foreground_is_command(screen: Any) -> None:
    """It may read keys, and finds terminals on all three of its streams."""
    screen.run("test -t 0 -a -t 1 -a -t 2; echo tty=$?; read -r x; echo got=$x")
    screen.until("tty=0")
    screen.type("hello\n")
    screen.until("got=hello")


def test_terminal_interrupt_reaches_command_once(screen: Any) -> None:
    """A signal that the runtime passes on afterwards comes after all that it passed on before."""
    screen.run(
        "trap 'n=$((n+1)); echo int=$n' INT; trap 'over=1' USR1; n=0; over=0; echo up=$PPID.;"
        "while [ $over = 0 ]; do sleep 0.05; done; echo n=$n"
    )
    screen.until("up=")
    runtime = int(screen.until("."))
    screen.type("\x03")
    screen.until("int=1")
    os.kill(runtime, signal.SIGUSR1)
    screen.until("n=1")


def test_terminal_interrupt_ends_runtime(screen: Any) -> None:
    """The shell sees 130, as without the runtime."""
    screen.run("echo up=$?; exec sleep 600", "|| echo rc=$?")
    screen.until("up=0")
    screen.type("\x03")
    screen.until("rc=130")


def test_terminal_returns_to_shell(screen: Any) -> None:
    """After the command, keys go to the shell again."""
    screen.run("exit 3")
    screen.until("<prompt>")
    screen.type("echo rc=$?\n")
    screen.until("rc=3")


def test_terminal_suspend_and_continue(screen: Any) -> None:
    """Ctrl-Z returns to the prompt, and fg continues the command."""
    screen.run("echo up=$?; read -r x; echo got=$x")
    screen.until("up=0")
    screen.type("\x1a")
    screen.until("Stopped")
    screen.until("<prompt>")
    screen.type("fg\n")
    screen.type("word\n")
    screen.until("got=word")


def test_terminal_is_untouched_in_background(screen: Any) -> None:
    """A runtime started with & takes no keys from the shell."""
    screen.run("echo up=$?; exec sleep 600", "&")
    screen.until("up=0")
    screen.type("kill %1; wait %1; echo rc=$?\n")
    screen.until("rc=143")
