"""Start processes in their own groups, signal them, and give them the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from openpai.core.processes import die_with_parent
from openpai.runtime.log import log
from openpai.runtime.process.event_loop import EventLoop

TYPE_CHECKING = False  # importing typing would double the start-up time
if TYPE_CHECKING:
    from typing import Callable, Mapping, NoReturn, Sequence

__all__ = ["Terminal", "call_in_child", "is_alive", "shell", "signal_group", "start"]


class Terminal:
    """The controlling terminal, if this process is in its foreground."""

    def __init__(self) -> None:
        self._handle = -1
        with contextlib.suppress(OSError):
            self._handle = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
            if os.tcgetpgrp(self._handle) != os.getpgrp():
                self.close()

    def give(self, group: int) -> None:
        """Put a process group into the foreground."""
        if self._handle < 0:
            return
        # In the background the call would stop this process (SIGTTOU).
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        with contextlib.suppress(OSError):
            os.tcsetpgrp(self._handle, group)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def stop_with(self, group: int) -> None:
        """Stop this process after its command was stopped, so that the shell gets the terminal."""
        if self._handle < 0:
            return
        self.give(os.getpgrp())
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(OSError):
            if os.tcgetpgrp(self._handle) == os.getpgrp():
                self.give(group)
        signal_group(group, signal.SIGCONT)

    def close(self) -> None:
        """Return to the foreground and close the terminal."""
        if self._handle >= 0:
            self.give(os.getpgrp())
            os.close(self._handle)
            self._handle = -1


def start(
    loop: EventLoop,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    terminal: Terminal | None = None,
    quiet_input: bool = False,
) -> int:
    """Start a program in a new process group; return its pid, which is also the group's.

    A program that cannot be started exits with 127 (not found) or 126, as in a shell.

    Args:
        loop: The event loop of this process.
        argv: The program, searched on the ``PATH`` of ``environ``, and its arguments.
        environ: Its whole environment.
        terminal: The terminal in whose foreground it runs.
        quiet_input: Whether its stdin is empty instead of this process's.
    """

    def run_child() -> NoReturn:
        if terminal:
            terminal.give(os.getpid())
        die_with_parent()
        if quiet_input:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            os.execvpe(argv[0], list(argv), dict(environ))  # noqa: S606 - no shell
        except (OSError, ValueError) as error:
            log(f"'{argv[0]}' cannot be started: {getattr(error, 'strerror', error)}.")
            os._exit(127 if isinstance(error, FileNotFoundError) else 126)

    return _fork_group(loop, run_child)


def call_in_child(loop: EventLoop, function: Callable[[], int]) -> int:
    """Run a function in a child process with its own group; return its pid.

    The function's result is the exit status; SIGTERM raises SystemExit in it.
    """

    def run_child() -> NoReturn:
        code = 1
        try:
            die_with_parent()
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            code = function()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException as error:  # the parent continues without it
            log(f"Internal error: {type(error).__name__}: {error}")
        finally:
            os._exit(code)

    return _fork_group(loop, run_child)


def _fork_group(loop: EventLoop, run_child: Callable[[], NoReturn]) -> int:
    pid = loop.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        run_child()
    with contextlib.suppress(OSError):  # in both processes, as either may run first
        os.setpgid(pid, pid)
    return pid


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, if it exists.

    0 stands for a process that was never started: to killpg it would mean the own group.
    """
    if group <= 0:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def is_alive(group: int) -> bool:
    """Whether a process group has a process; 0 stands for one that was never started."""
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
    """Return the shell for commands of users: bash if it is installed."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = f"{folder}/bash"
        if os.access(path, os.X_OK) and not os.path.isdir(path):  # noqa: PTH112 - no pathlib here
            return path
    return "/bin/sh"
