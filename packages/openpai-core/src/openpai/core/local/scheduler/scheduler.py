"""Who runs next: pure decisions about resources, quotas and priorities.

As in Kubernetes, which PAI's default scheduler is: the waiting are asked in the order of their
priority and age, and each that fits starts; one that does not fit waits without keeping smaller
ones from running.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Hashable, Iterable, Mapping, TypeVar

__all__ = ["Claim", "Decision", "Resources", "missing", "schedule"]

Key = TypeVar("Key", bound=Hashable)


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


@dataclass(frozen=True)
class Claim(Generic[Key]):
    """Something that waits to be started as a whole: a job, or one task of a non-gang job.

    Attributes:
        key: What the decision calls it.
        needs: All that it uses together.
        virtual_cluster: Whose quota it counts against.
        priority: The higher, the sooner.
        age: Sorts claims of one priority, the smallest first.
    """

    key: Key
    needs: Resources
    virtual_cluster: str = "default"
    priority: int = 0
    age: int = 0


@dataclass(frozen=True)
class Decision(Generic[Key]):
    """What to start, in order, and why each of the others waits."""

    start: tuple[Key, ...]
    waiting: Mapping[Key, str]


def schedule(
    claims: Iterable[Claim[Key]], free: Resources, quotas: Mapping[str, Resources]
) -> Decision[Key]:
    """Decide which claims start now.

    Args:
        claims: All that waits.
        free: What the machine has left.
        quotas: What each virtual cluster with a quota has left of it.
    """
    start: list[Key] = []
    waiting: dict[Key, str] = {}
    left = dict(quotas)
    for claim in sorted(claims, key=lambda claim: (-claim.priority, claim.age)):
        lacking = missing(claim.needs, free)
        where = "this machine"
        if not lacking and claim.virtual_cluster in left:
            lacking = missing(claim.needs, left[claim.virtual_cluster])
            where = f"virtual cluster {claim.virtual_cluster}"
        if lacking:
            waiting[claim.key] = f"Waiting for {lacking} on {where}."
            continue
        start.append(claim.key)
        free = free - claim.needs
        if claim.virtual_cluster in left:
            left[claim.virtual_cluster] = left[claim.virtual_cluster] - claim.needs
    return Decision(tuple(start), waiting)


def missing(needs: Resources, have: Resources) -> str:
    """Say what is needed and not there, as ``2 GPU (1 free), …``; empty if everything is."""
    parts = []
    for name, want, free in (
        ("GPU", needs.gpu, have.gpu),
        ("CPU", needs.cpu, have.cpu),
        ("MB of memory", needs.memory_mb, have.memory_mb),
    ):
        if want > max(free, 0):
            parts.append(f"{want} {name} ({max(free, 0)} available)")
    return ", ".join(parts)
