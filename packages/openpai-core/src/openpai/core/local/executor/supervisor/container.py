"""A task that runs out of sight, in a container: how it is asked to end, and how it ended."""
# ruff: noqa: PTH123
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import os
from typing import Any, Mapping

__all__ = ["ask_to_end", "end", "verdict"]

#: Seconds for a container engine to say how a container ended, or to remove it.
PATIENCE = 60.0


def ask_to_end(plan: Mapping[str, Any]) -> None:
    """Start the command that asks a container to end; nobody waits for it."""
    words = plan["stopping"]
    os.posix_spawn(words[0], words, plan["environment"])


def verdict(file_name: str, status: int, *, stopped: bool) -> tuple[str, int, str]:
    """Return which step decided, its status, and what the container had too little of, if so.

    Args:
        file_name: What the container's first process writes; see
            :mod:`openpai.core.local.executor.container_files`.
        status: How the command that stayed with the container ended.
        stopped: Whether the task was asked to end.
    """
    try:
        with open(file_name, encoding="utf-8") as file:
            words = file.read().split()
    except OSError:
        words = []
    if not words:  # it never came to its first command
        return ("main" if stopped else "creation"), status, ""
    if len(words) == 1:  # it was killed on its way
        return "main", status, ""
    return words[0], int(words[1]), "".join(words[2:3])


def end(plan: Mapping[str, Any]) -> bool:
    """Remove a container whatever it still does; return whether it ran out of its memory."""
    query, ending = plan["memoryQuery"], plan["ending"]
    greedy = bool(query) and _answer(query, plan["environment"]).strip() == b"true"
    if ending:
        _answer(ending, plan["environment"])
    return greedy


def _answer(words: list[str], environment: Mapping[str, str]) -> bytes:
    import subprocess

    try:
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout
