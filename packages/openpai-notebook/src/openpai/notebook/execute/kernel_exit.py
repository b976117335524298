"""Reason for the end of a kernel."""

from __future__ import annotations

import signal
import subprocess

from openpai.core.processes import signal_name

__all__ = ["exit_reason", "exit_status"]


def exit_status(process: subprocess.Popen[bytes] | None) -> int | None:
    """Return the ``returncode`` of a kernel's process; ``None`` if unknown."""
    if process is None:
        return None
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return None


def exit_reason(status: int | None, memory_killed: bool) -> tuple[str, int]:
    """Return one sentence on how a kernel ended, and an exit code for the job.

    The code is the kernel's own where it has one. It is never one of those that mean a signal: PAI
    treats 130, 131, 137 and 143 as platform failures and retries the job without limit
    (k8s-job-exit-spec/config/k8s-job-exit-spec.yaml).

    Args:
        status: The result of :func:`exit_status`.
        memory_killed: Whether the container's count of OOM kills rose.
    """
    if status is None:
        return "The kernel has ended for an unknown reason.", 1
    if status >= 0:
        own = status if 0 < status < 128 else 1
        return f"The kernel ended by itself, with exit code {status}.", own
    name = signal_name(-status) or f"signal {-status}"
    if -status != signal.SIGKILL:
        return f"The kernel was killed by {name}.", 1
    if memory_killed:
        return f"The kernel was killed ({name}): the container's memory limit was reached.", 1
    return f"The kernel was killed ({name}), most often a sign that memory ran out.", 1
