"""Start programs in process groups of their own, end them, and lend them the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from openpai.core.processes import die_with_parent
from openpai.runtime.log import say
from openpai.runtime.process.event_loop import Loop

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from typing import Callable, Mapping, NoReturn, Sequence

__all__ = ["Terminal", "call_in_child", "is_alive", "shell", "signal_group", "start"]


class Terminal:
    """The terminal of this process, if it has one and is in its foreground."""

    def __init__(self) -> None:
        self._handle = -1
        with contextlib.suppress(OSError):
            self._handle = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
            if os.tcgetpgrp(self._handle) != os.getpgrp():
                self.close()

    def give(self, group: int) -> None:
        """Put a process group into the foreground, so that it reads keys and gets their signals."""
        if self._handle < 0:
            return
        # From the background this very call would stop the caller (SIGTTOU).
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        with contextlib.suppress(OSError):
            os.tcsetpgrp(self._handle, group)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def stop_with(self, group: int) -> None:
        """A stopped command stops its runtime, so that the shell above gets the terminal back."""
        if self._handle < 0:
            return
        self.give(os.getpgrp())
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(OSError):
            if os.tcgetpgrp(self._handle) == os.getpgrp():
                self.give(group)
        signal_group(group, signal.SIGCONT)

    def close(self) -> None:
        """Take the terminal back and let go of it."""
        if self._handle >= 0:
            self.give(os.getpgrp())
            os.close(self._handle)
            self._handle = -1


def start(
    loop: Loop,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    terminal: Terminal | None = None,
    quiet_input: bool = False,
) -> int:
    """Start a program in a new process group; return its pid, which is the group's number too.

    A program that cannot be started ends with 127 (not found) or 126, as in a shell.

    Args:
        loop: Who passes signals on and sees the program end.
        argv: The program, looked up on the ``PATH`` of ``environ``, and its arguments.
        environ: All of its environment.
        terminal: The terminal to put it into the foreground of.
        quiet_input: Whether it reads nothing instead of this process's stdin.
    """

    def become() -> NoReturn:
        if terminal:
            terminal.give(os.getpid())
        die_with_parent()
        if quiet_input:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            os.execvpe(argv[0], list(argv), dict(environ))  # noqa: S606 - no shell is wanted
        except (OSError, ValueError) as error:
            say(f"'{argv[0]}' cannot be started: {getattr(error, 'strerror', error)}.")
            os._exit(127 if isinstance(error, FileNotFoundError) else 126)

    return _fork_group(loop, become)


def call_in_child(loop: Loop, function: Callable[[], int]) -> int:
    """Run a function in a child process with a group of its own; return its pid.

    The function's result is the exit status; SIGTERM unwinds it, so that it can clean up.
    """

    def become() -> NoReturn:
        code = 1
        try:
            die_with_parent()
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            code = function()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException as error:  # whatever it is, the parent goes on without it
            say(f"Internal error: {type(error).__name__}: {error}")
        finally:
            os._exit(code)

    return _fork_group(loop, become)


def _fork_group(loop: Loop, become: Callable[[], NoReturn]) -> int:
    pid = loop.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        become()
    with contextlib.suppress(OSError):  # both do it, so that neither has to wait for the other
        os.setpgid(pid, pid)
    return pid


def signal_group(group: int, number: int) -> None:
    """Send a signal to every process of a group; a group that is gone is no error.

    Nor is 0, for what was never started; to the system it would mean the caller's own group.
    """
    if group <= 0:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def is_alive(group: int) -> bool:
    """Whether a group has any process left; 0, for what was never started, has none."""
    if group <= 0:
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def shell(environ: Mapping[str, str]) -> str:
    """Return the shell for lines that a user wrote: bash where there is one."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = f"{folder}/bash"
        if os.access(path, os.X_OK) and not os.path.isdir(path):  # noqa: PTH112 - no pathlib here
            return path
    return "/bin/sh"
