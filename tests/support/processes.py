"""Processes with their descendants: which there are, and how to end them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from support.wait import wait_until


def state_of(process: int) -> tuple[str, str]:
    """Return the state and the start time of a process; empty texts if it does not exist."""
    try:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return words[0], words[19]


def kill_family(process: int) -> None:
    """Kill the leader of a process group, its group and its descendants; wait until all ended."""
    family = [process]
    for member in family:
        with suppress(OSError):
            for file in Path(f"/proc/{member}/task").glob("*/children"):
                family += map(int, file.read_text().split())
    for member in family:
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
    ended = ("", "Z", "X")
    wait_until(lambda: all(state_of(member)[0] in ended for member in family), f"end of {family}")
