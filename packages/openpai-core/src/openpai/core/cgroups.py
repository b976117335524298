"""Memory limit and out-of-memory kills of this process's control group, version 1 or 2."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

__all__ = ["memory_limit", "oom_kills"]

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def oom_kills(root: Path = _ROOT, own: Path = _OWN) -> int:
    """Return how many processes of the control group the kernel killed for lack of memory.

    Args:
        root: Where control groups are mounted.
        own: The file that lists the groups of this process.
    """
    for file in _files("memory.events", "memory.oom_control", root, own):
        try:
            words = file.read_text(encoding="ascii").split()
            return int(words[words.index("oom_kill") + 1])
        except (OSError, ValueError, IndexError):
            continue
    return 0


def memory_limit(root: Path = _ROOT, own: Path = _OWN) -> int | None:
    """Return the limit of the control group in bytes; ``None`` if it has none."""
    for file in _files("memory.max", "memory.limit_in_bytes", root, own):
        try:
            return int(file.read_text(encoding="ascii"))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return None


def _files(v2: str, v1: str, root: Path, own: Path) -> Iterator[Path]:
    """Yield the paths of a file of both versions: of the process's own group, then at the root.

    A container usually sees its own group as the root.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            yield root / group.lstrip("/") / v2
        elif "memory" in controllers.split(","):
            yield root / "memory" / group.lstrip("/") / v1
    yield root / v2
    yield root / "memory" / v1
