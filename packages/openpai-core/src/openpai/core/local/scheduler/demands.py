"""What a job document asks of the machine, in the forms that decisions need."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from openpai.core.local.scheduler.scheduler import Resources

__all__ = [
    "PRIORITIES",
    "instances",
    "is_gang",
    "job_needs",
    "priority_class",
    "role_needs",
    "virtual_cluster",
]

#: rest-server/src/models/v2/job/k8s.js: HiveD's priority classes
PRIORITIES = {"prod": 100, "test": 10, "oppo": -1}


def roles(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name as written, role); an empty list slips through PAI's schema and has none."""
    found = document["taskRoles"]
    if isinstance(found, Mapping):
        yield from found.items()


def instances(role: Mapping[str, Any]) -> int:
    """Return how many tasks a role has."""
    return int(role.get("instances") or 1)


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
    for _, role in roles(document):
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
