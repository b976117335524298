"""Why a kernel is gone."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

__all__ = ["death", "exit_status", "memory_kills"]


def exit_status(process: subprocess.Popen[bytes] | None) -> int | None:
    """Return how a kernel's process ended as ``Popen`` says it; ``None`` where it does not."""
    if process is None:
        return None
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return None


def death(status: int | None, memory_killed: bool) -> tuple[str, int]:
    """Return one sentence on how a kernel ended, and an exit code for the job.

    The code is the kernel's own where it has one. It is never one of those that mean a signal: PAI
    takes 130, 131, 137 and 143 for the platform's fault and starts the job anew without end
    (k8s-job-exit-spec/config/k8s-job-exit-spec.yaml).

    Args:
        status: What :func:`exit_status` said.
        memory_killed: Whether the container's count of processes killed for memory rose.
    """
    if status is None:
        return "The kernel is gone; nothing tells how it ended.", 1
    if status >= 0:
        own = status if 0 < status < 128 else 1
        return f"The kernel ended by itself, with exit code {status}.", own
    name = _signal_name(-status)
    if -status != signal.SIGKILL:
        return f"The kernel was killed by {name}.", 1
    if memory_killed:
        return f"The kernel was killed ({name}): the container's memory limit was reached.", 1
    return f"The kernel was killed ({name}), most often a sign that memory ran out.", 1


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def memory_kills() -> int:
    """Return how many processes of this container's control group were killed for memory so far."""
    for file in _event_files():
        try:
            lines = file.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name == "oom_kill" and value.isdigit():
                return int(value)
    return 0


def _event_files() -> list[Path]:
    """Return where control groups of version 2 and 1 count, inside a container and outside."""
    root = Path("/sys/fs/cgroup")
    files = [root / "memory.events", root / "memory" / "memory.oom_control"]
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return files
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            files.insert(0, root / path.lstrip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            files.insert(0, root / "memory" / path.lstrip("/") / "memory.oom_control")
    return files
