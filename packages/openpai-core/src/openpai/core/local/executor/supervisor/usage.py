"""Poll the processes of a task and their memory (Linux).

A task is killed when it exceeds its limits. Between two polls it may use more; container engines
have hard limits.
"""
# ruff: noqa: PTH123, PTH208
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import contextlib
import os
import signal
import time

__all__ = ["Watch", "limit_processes", "stop_descendants"]

#: Polling takes at most this share of one CPU, and happens at most every PAUSE seconds.
SHARE = 0.02
PAUSE = 0.2
#: Processes and threads of the user that tasks must leave free.
SPARE = 256
#: Maximum number of passes while new processes appear.
ROUNDS = 50

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """The limits of the tasks below this process.

    Args:
        memory_mb: MiB of memory; ``None`` for no limit.
        processes: Number of processes; ``None`` for no limit.

    Attributes:
        pause: Seconds until the next poll; ``None`` without limits.
    """

    def __init__(self, memory_mb: int | None, processes: int | None) -> None:
        self._memory = None if memory_mb is None else memory_mb * 1024 * 1024
        self._processes = processes
        watched = memory_mb is not None or processes is not None
        self.pause = PAUSE if watched and os.path.exists("/proc/self/statm") else None  # noqa: PTH110
        self._next = 0.0

    def exceeded(self) -> str:
        """Return ``memory`` or ``processes`` if that limit is exceeded; polls when it is due."""
        begun = time.monotonic()
        if self.pause is None or begun < self._next:
            return ""
        pids = descendants(os.getpid())
        found = self._judge(pids)
        ended = time.monotonic()
        self.pause = max(PAUSE, (ended - begun) / SHARE)
        self._next = ended + self.pause / 2
        return found

    def _judge(self, pids: list[int]) -> str:
        if self._processes is not None and len(pids) > self._processes:
            return "processes"
        # Resident memory counts shared pages for each process; the exact sum is slower.
        if self._memory is not None and sum(map(_resident, pids)) > self._memory:
            return "memory" if sum(map(_proportional, pids)) > self._memory else ""
        return ""


def descendants(ancestor: int) -> list[int]:
    """Return the pids below a process, parents first."""
    found = _children(ancestor)
    for pid in found:
        found.extend(_children(pid))
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                children += map(int, file.read().split())
    return children


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    """Return the proportional set size of a process in bytes."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # an old kernel, or another user's process
        return _resident(pid)
    return 0


def stop_descendants() -> None:
    """Stop all descendants of this process, so that they cannot fork while they are killed."""
    stopped: set[int] = set()
    for _ in range(ROUNDS):
        fresh = set(descendants(os.getpid())) - stopped
        if not fresh:
            return
        for pid in fresh:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
        stopped |= fresh


def limit_processes() -> None:
    """Limit the processes of this process and its children below the user's limit (not root)."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    if most != resource.RLIM_INFINITY and most > 2 * SPARE:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NPROC, (most - SPARE, most - SPARE))
