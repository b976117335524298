"""Stop and remove a task's container, and read how its task ended."""
# ruff: noqa: PTH123
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import os
from typing import Any, Mapping

__all__ = ["remove_container", "request_stop", "verdict"]

#: Seconds to wait for a command of the container engine.
TIMEOUT = 60.0


def request_stop(plan: Mapping[str, Any]) -> None:
    """Start the command that stops a container, without waiting for it."""
    words = plan["stopping"]
    os.posix_spawn(words[0], words, plan["environment"])


def verdict(file_name: str, status: int, *, stopped: bool) -> tuple[str, int, str]:
    """Return the step that decided, its status, and the limit that was exceeded, if any.

    Args:
        file_name: The file that the container's first process writes; see
            :mod:`openpai.core.local.executor.container_files`.
        status: Exit status of the command attached to the container.
        stopped: Whether the task was stopped.
    """
    try:
        with open(file_name, encoding="utf-8") as file:
            words = file.read().split()
    except OSError:
        words = []
    if not words:  # the container never ran
        return ("main" if stopped else "creation"), status, ""
    if len(words) == 1:  # it was killed
        return "main", status, ""
    return words[0], int(words[1]), "".join(words[2:3])


def remove_container(plan: Mapping[str, Any]) -> bool:
    """Remove a container, running or not; return whether it exceeded its memory."""
    query, ending = plan["memoryQuery"], plan["ending"]
    out_of_memory = bool(query) and _run(query, plan["environment"]).strip() == b"true"
    if ending:
        _run(ending, plan["environment"])
    return out_of_memory


def _run(words: list[str], environment: Mapping[str, str]) -> bytes:
    import subprocess

    try:
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout
