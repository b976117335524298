"""Who runs next: pure decisions about resources, quotas and priorities.

As in Kubernetes, which PAI's default scheduler is: the waiting are asked in the order of their
priority and age, and each that fits starts; one that does not fit waits without keeping smaller
ones from running.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Hashable, Iterable, Mapping, TypeVar

from openpai.core.local.state.machine import Resources
from openpai.core.protocol import instances, task_roles

__all__ = [
    "PRIORITIES",
    "Claim",
    "Decision",
    "is_gang",
    "job_needs",
    "missing",
    "priority_class",
    "role_needs",
    "schedule",
    "virtual_cluster",
]

Key = TypeVar("Key", bound=Hashable)


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


#: rest-server/src/models/v2/job/k8s.js: HiveD's priority classes
PRIORITIES = {"prod": 100, "test": 10, "oppo": -1}


def role_needs(role: Mapping[str, Any]) -> Resources:
    """Return what one task of a role uses; Kubernetes would refuse negative amounts."""
    asked = role["resourcePerInstance"]
    return Resources(
        cpu=max(0, int(asked["cpu"])),
        memory_mb=max(0, int(asked["memoryMB"])),
        gpu=max(0, int(asked["gpu"])),
    )


def job_needs(document: Mapping[str, Any]) -> Resources:
    """Return what all tasks of a job use together."""
    total = Resources()
    for role in task_roles(document).values():
        for _ in range(instances(role)):
            total = total + role_needs(role)
    return total


def is_gang(document: Mapping[str, Any]) -> bool:
    """Whether all tasks start together; only the boolean ``false`` says no."""
    extras = document.get("extras")
    return not (isinstance(extras, Mapping) and extras.get("gangAllocation") is False)


def priority_class(document: Mapping[str, Any]) -> str | None:
    """Return ``extras.hivedScheduler.jobPriorityClass``, which PAI records without HiveD too."""
    extras = document.get("extras")
    hived = extras.get("hivedScheduler") if isinstance(extras, Mapping) else None
    found = hived.get("jobPriorityClass") if isinstance(hived, Mapping) else None
    return None if found is None else str(found)


def virtual_cluster(document: Mapping[str, Any]) -> str:
    """Return the virtual cluster; ``default`` when it is absent or null."""
    found = (document.get("defaults") or {}).get("virtualCluster")
    return "default" if found is None else str(found)
