"""The resources of this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from openpai.core.cgroups import memory_limit

__all__ = [
    "Resources",
    "count_gpus",
    "machine_resources",
]


@dataclass(frozen=True)
class Resources:
    """CPUs, memory in MiB, and GPUs."""

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


def machine_resources(
    *, cpus: int | None = None, memory_mb: int | None = None, gpus: int | None = None
) -> Resources:
    """Return the resources of this machine, except for the numbers that are given."""
    return Resources(
        cpu=_cpus() if cpus is None else cpus,
        memory_mb=_memory_mb() if memory_mb is None else memory_mb,
        gpu=count_gpus() if gpus is None else gpus,
    )


def count_gpus() -> int:
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
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _memory_mb() -> int:
    """Return the memory of the machine, or the limit of this process's container."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = memory_limit()
    return (total if limit is None else min(total, limit)) // (1024 * 1024)
