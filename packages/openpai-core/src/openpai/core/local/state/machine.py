"""What this machine has to offer to jobs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from openpai.core.cgroups import memory_limit

__all__ = [
    "Resources",
    "found_gpus",
    "measure",
]


@dataclass(frozen=True)
class Resources:
    """An amount of what tasks use: CPUs, memory in MiB, GPUs."""

    cpu: int = 0
    memory_mb: int = 0
    gpu: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.cpu + other.cpu, self.memory_mb + other.memory_mb, self.gpu + other.gpu
        )

    def __sub__(self, other: Resources) -> Resources:
        return Resources(
            self.cpu - other.cpu, self.memory_mb - other.memory_mb, self.gpu - other.gpu
        )


def measure(
    *, cpus: int | None = None, memory_mb: int | None = None, gpus: int | None = None
) -> Resources:
    """Return what the cluster has: what is found here, unless a number says otherwise."""
    return Resources(
        cpu=_cpus() if cpus is None else cpus,
        memory_mb=_memory_mb() if memory_mb is None else memory_mb,
        gpu=found_gpus() if gpus is None else gpus,
    )


def found_gpus() -> int:
    """Count the NVIDIA devices of this machine."""
    try:
        return sum(
            bool(re.fullmatch(r"nvidia\d+", device.name)) for device in Path("/dev").iterdir()
        )
    except OSError:
        return 0


def _cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _memory_mb() -> int:
    """Return the memory that this process may use: the machine's, or its container's limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = memory_limit()
    return (total if limit is None else min(total, limit)) // (1024 * 1024)
