"""Decide which tasks start next, by resources, quotas and priorities; pure functions.

As Kubernetes' default scheduler: claims are considered by priority and age, and each that fits
starts; one that does not fit waits without blocking smaller ones.
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
    "priority_class",
    "role_needs",
    "schedule",
    "shortage",
    "virtual_cluster",
]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Claim(Generic[Key]):
    """A job, or one task of a non-gang job, that waits to be started as a whole.

    Attributes:
        key: Its key in the decision.
        needs: Its resources.
        virtual_cluster: The virtual cluster whose quota it counts against.
        priority: Higher starts first.
        age: Sorts claims of one priority, the smallest first.
    """

    key: Key
    needs: Resources
    virtual_cluster: str = "default"
    priority: int = 0
    age: int = 0


@dataclass(frozen=True)
class Decision(Generic[Key]):
    """The claims to start, in order, and why each of the others waits."""

    start: tuple[Key, ...]
    waiting: Mapping[Key, str]


def schedule(
    claims: Iterable[Claim[Key]], free: Resources, quotas: Mapping[str, Resources]
) -> Decision[Key]:
    """Decide which claims start now.

    Args:
        claims: All claims.
        free: Free resources of the machine.
        quotas: Free resources of each virtual cluster with a quota.
    """
    start: list[Key] = []
    waiting: dict[Key, str] = {}
    left = dict(quotas)
    for claim in sorted(claims, key=lambda claim: (-claim.priority, claim.age)):
        lacking = shortage(claim.needs, free)
        where = "this machine"
        if not lacking and claim.virtual_cluster in left:
            lacking = shortage(claim.needs, left[claim.virtual_cluster])
            where = f"virtual cluster {claim.virtual_cluster}"
        if lacking:
            waiting[claim.key] = f"Waiting for {lacking} on {where}."
            continue
        start.append(claim.key)
        free = free - claim.needs
        if claim.virtual_cluster in left:
            left[claim.virtual_cluster] = left[claim.virtual_cluster] - claim.needs
    return Decision(tuple(start), waiting)


def shortage(needs: Resources, have: Resources) -> str:
    """Return the missing resources as ``2 GPU (1 available), …``; empty if nothing is missing."""
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
    """Return the resources of one task; negative amounts, which Kubernetes refuses, count as 0."""
    requested = role["resourcePerInstance"]
    return Resources(
        cpu=max(0, int(requested["cpu"])),
        memory_mb=max(0, int(requested["memoryMB"])),
        gpu=max(0, int(requested["gpu"])),
    )


def job_needs(document: Mapping[str, Any]) -> Resources:
    """Return the resources of all tasks of a job together."""
    total = Resources()
    for role in task_roles(document).values():
        for _ in range(instances(role)):
            total = total + role_needs(role)
    return total


def is_gang(document: Mapping[str, Any]) -> bool:
    """Whether all tasks start together; false only for the boolean ``false``."""
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
