"""Submission of jobs: the checks of the real server in its order, and those of one machine."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Mapping

from openpai.core.execution import Job
from openpai.core.local.api.responses import HttpError
from openpai.core.local.scheduler.scheduler import (
    is_gang,
    job_needs,
    priority_class,
    role_needs,
    shortage,
    virtual_cluster,
)
from openpai.core.local.state.machine import Resources
from openpai.core.protocol import encode_name, instances, task_roles

if TYPE_CHECKING:
    from openpai.core.local.api.request import Call

__all__ = ["submit_job"]


def submit_job(call: Call) -> str:
    """Store the job of a request; return its name.

    Raises:
        HttpError: It is invalid, its name is taken, or it is not permitted or can never run.
    """
    text = call.body if isinstance(call.body, str) else "[object Object]"
    document = _parse_job(text)
    framework = f"{call.user.name}~{document['name']}"
    taken = HttpError(409, "ConflictJobError", f"Job name {framework} already exists.")
    debug_id = encode_name(framework)
    if call.service.store.query("SELECT 1 FROM jobs WHERE debug_id = ?", (debug_id,)):
        raise taken
    _check_rights(call, document)
    _check_instances(document)
    _check_size(call, document)
    try:
        call.service.controller.submit(_record(call, debug_id, document), text, document)
    except sqlite3.IntegrityError:  # of two submissions at once, the database accepts one
        raise taken from None
    return str(document["name"])


def _parse_job(text: str) -> Mapping[str, Any]:
    from openpai.core.protocol import server_verdict

    verdict = server_verdict(text)
    if verdict.accepted:
        document: Mapping[str, Any] = verdict.document
        return document
    if verdict.status < 500:
        raise HttpError(verdict.status, verdict.code, verdict.message)
    raise HttpError(400, "InvalidProtocolError", verdict.message)


def _check_instances(document: Mapping[str, Any]) -> None:
    """Refuse a role without ``instances``: the real server cannot store the sum of its GPUs."""
    for name, role in task_roles(document).items():
        if "instances" not in role:
            raise HttpError(
                400,
                "InvalidProtocolError",
                f"Task role '{name}' has no 'instances', without which PAI fails to take the job.",
            )


def _check_rights(call: Call, document: Mapping[str, Any]) -> None:
    rights = call.rights
    name = virtual_cluster(document)
    if name not in rights.virtual_clusters:
        raise HttpError(
            403,
            "ForbiddenUserError",
            f"User {call.user.name} is not allowed to do operation in {name}",
        )
    wanted = (document.get("extras") or {}).get("storages")
    for item in wanted if isinstance(wanted, list) else ():
        storage = item.get("name") if isinstance(item, Mapping) else None
        if storage is not None and storage not in rights.storages:
            raise HttpError(404, "NoStorageError", f"Storage {storage} is not found.")


def _check_size(call: Call, document: Mapping[str, Any]) -> None:
    """Refuse jobs that can never run here; on the real server they wait forever."""
    for name, role in task_roles(document).items():
        negative = [key for key, n in role["resourcePerInstance"].items() if _is_negative(n)]
        if negative:
            raise HttpError(
                400,
                "InvalidProtocolError",
                f"Task role '{name}' requests a negative amount of {', '.join(negative)}.",
            )
    controller = call.service.controller
    name = virtual_cluster(document)
    for needs, whose in _indivisible(document):
        lacking = shortage(needs, controller.total)
        where = "this machine"
        if not lacking and name in controller.quotas:
            lacking = shortage(needs, controller.quotas[name])
            where = f"virtual cluster {name}"
        if lacking:
            raise HttpError(
                400,
                "NoEnoughQuotaError",
                f"{whose} can never run here: it needs {lacking} on {where}.",
            )


def _is_negative(amount: Any) -> bool:
    return isinstance(amount, (int, float)) and amount < 0


def _indivisible(document: Mapping[str, Any]) -> list[tuple[Resources, str]]:
    """Return the resources that must fit at once: a gang job, else each task by itself."""
    if is_gang(document):
        return [(job_needs(document), "The job")]
    return [
        (role_needs(role), f"A task of role '{name}'")
        for name, role in task_roles(document).items()
    ]


def _record(call: Call, debug_id: str, document: Mapping[str, Any]) -> Job:
    counts = [(instances(role), role_needs(role).gpu) for role in task_roles(document).values()]
    return Job(
        id=0,
        debug_id=debug_id,
        user=call.user.name,
        name=str(document["name"]),
        virtual_cluster=virtual_cluster(document),
        submitted=call.service.clock.now(),
        priority=priority_class(document),
        gpus=sum(count * gpus for count, gpus in counts),
        tasks=sum(count for count, _ in counts),
        roles=len(counts),
    )
