"""What the kernel counts of this container's memory."""

from __future__ import annotations

from pathlib import Path

__all__ = ["oom_kills"]

_CGROUP = Path("/sys/fs/cgroup")


def oom_kills(cgroup: Path = _CGROUP) -> int:
    """Return how many processes of this container the kernel has killed for want of memory."""
    for path in (cgroup / "memory.events", cgroup / "memory" / "memory.oom_control"):
        try:
            words = path.read_text(encoding="ascii").split()
            return int(words[words.index("oom_kill") + 1])
        except (OSError, ValueError, IndexError):
            continue
    return 0
