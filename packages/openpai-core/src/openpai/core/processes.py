"""Processes: kill whole process trees, adopt orphans, signal names, boot id."""
# ruff: noqa: PTH112, PTH123
# (importing pathlib takes as long as the rest of a supervisor's start)

from __future__ import annotations

import contextlib
import os
import signal
import time

__all__ = [
    "become_reaper",
    "boot_id",
    "die_with_parent",
    "kill_descendants",
    "kill_marked",
    "reap",
    "signal_name",
]

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> bool:
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def boot_id() -> str:
    """Return an id that changes with every start of the machine; empty where it is unknown."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def signal_name(number: int) -> str:
    """Return ``SIGKILL`` for 9; empty if there is no such signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def become_reaper(wanted: bool = True) -> bool:
    """Make orphaned descendants children of this process, or stop doing so (Linux only)."""
    return _prctl(PR_SET_CHILD_SUBREAPER, int(wanted))


def die_with_parent() -> bool:
    """Have the kernel kill this process when its parent ends (Linux; elsewhere false)."""
    return _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def reap() -> tuple[dict[int, int], bool]:
    """Reap ended children.

    Returns:
        Wait statuses by pid, and whether any child is left.
    """
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if pid == 0:
            return ended, True
        ended[pid] = status


def kill_descendants(timeout: float) -> bool:
    """Kill and reap all descendants of this process.

    Args:
        timeout: Seconds after which processes that cannot be killed are left.

    Returns:
        Whether none is left.
    """
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        for pid in _descendants(os.getpid()):
            _kill(pid)
        if not reap()[1]:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def kill_marked(name: str, value: str) -> int:
    """Kill this user's processes whose environment holds ``name=value``; return how many.

    Without ``/proc`` it finds none.
    """
    mark = f"{name}={value}".encode()
    killed = 0
    for pid in _pids():
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            if mark in environment:
                _kill(pid)
                killed += 1
    return killed


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return []


def _descendants(ancestor: int) -> list[int]:
    """Return the pids below a process, parents first."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = list(children.get(ancestor, ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _parents() -> list[tuple[int, int]]:
    """Return (pid, parent's pid) of every process on this machine."""
    if not os.path.isdir("/proc/self"):
        with os.popen("ps -A -o pid=,ppid=") as output:  # noqa: S605 - fixed text
            return [(int(pid), int(parent)) for pid, parent in map(str.split, output)]
    pairs = []
    for pid in _pids():
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{pid}/stat", "rb") as file:
                state_and_parent = file.read().rpartition(b")")[2].split()
            pairs.append((pid, int(state_and_parent[1])))
    return pairs
