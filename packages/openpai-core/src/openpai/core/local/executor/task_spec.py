"""Make the TaskSpec of a placed task: uid with free ports, GPUs, environment, image, mounts."""

from __future__ import annotations

import json
import socket
import uuid
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from openpai.core.execution import Placement, plan_task, role_ports, task_ports
from openpai.core.local.executor.engine import SECRETS_FILE, Image, Mount, TaskScript, TaskSpec
from openpai.core.local.state.machine import count_gpus
from openpai.core.protocol import dump_yaml, render_secrets, role_plugins

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.execution import Job, Task

__all__ = ["IP", "choose_gpus", "choose_uid", "image_of", "plan", "storage_mounts"]

IP = "127.0.0.1"


def choose_uid(
    document: Mapping[str, Any],
    role: str,
    first: str,
    taken: Iterable[int],
) -> tuple[str, dict[str, list[int]]]:
    """Return a uid whose ports are free, and the ports by label.

    PAI notices after the start, fails the task with 253 and retries it with another uid; here
    another uid is chosen before the start.

    Args:
        document: The job.
        role: The task's role, as written.
        first: The uid to try first.
        taken: Ports of other tasks.
    """
    counts = role_ports(document, role)
    reserved = set(taken)
    uid = first
    while True:
        ports = task_ports(uid, counts)
        numbers = [number for group in ports.values() for number in group]
        if (
            len(set(numbers)) == len(numbers)
            and reserved.isdisjoint(numbers)
            and all(map(_is_free, numbers))
        ):
            return uid, {label: list(group) for label, group in ports.items()}
        uid = str(uuid.uuid4())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def choose_gpus(count: int, total: int, taken: Iterable[int]) -> list[int]:
    """Return the lowest free device numbers."""
    used = set(taken)
    return [number for number in range(total) if number not in used][:count]


def plan(
    job: Job,
    document: Mapping[str, Any],
    task: Task,
    all_tasks: Iterable[Task],
    *,
    gpus_managed: bool,
    folder: Path,
    uri: str,
    storages: Mapping[str, Path],
    work: str | None = None,
) -> TaskSpec:
    """Return the specification of a placed task.

    Args:
        job: The job.
        document: The job as submitted.
        task: The task.
        all_tasks: The newest attempts of all its tasks.
        gpus_managed: Whether the cluster assigns GPUs.
        folder: The task's folder.
        uri: The cluster's address.
        storages: The user's storages by name, the default one first.
        work: The working folder; ``None`` for the engine's default.
    """
    secrets = document.get("secrets")
    placement = _placement(job, task, all_tasks, gpus_managed)
    planned = plan_task(document, task.role, task.index, placement, secrets=secrets)
    environment = {
        **({"CUDA_VISIBLE_DEVICES": ",".join(map(str, task.gpus))} if gpus_managed else {}),
        **planned.environment,
        "OPENPAI_LOCAL_CLUSTER": uri,
        "OPENPAI_JOB_CONFIG": str(folder / "job.yaml"),
        "OPENPAI_STORAGES": json.dumps({name: str(path) for name, path in storages.items()}),
    }
    if secrets:
        environment["OPENPAI_SECRETS"] = str(folder / "steps" / SECRETS_FILE)
    return TaskSpec(
        uid=task.uid,
        folder=folder,
        environment=environment,
        steps=[
            TaskScript(step.name, step.script, step.when, step.failure_policy)
            for step in planned.steps
        ],
        mounts=storage_mounts(document, storages),
        storages=storages,
        image=image_of(document, task.role),
        limits=planned.limits,
        gpus=[gpu for gpu in task.gpus if gpu < count_gpus()] if task.gpus else (),
        work=work,
        ssh=any(plugin.name == "ssh" for plugin in role_plugins(document, task.role)),
        secrets=dump_yaml(secrets) if secrets else "",
    )


def _placement(job: Job, task: Task, all_tasks: Iterable[Task], gpus_managed: bool) -> Placement:
    placed = [other for other in all_tasks if other.node_ip is not None]
    return Placement(
        user=job.user,
        virtual_cluster=job.virtual_cluster,
        ips={(other.role, other.index): other.node_ip or IP for other in placed},
        ports={(other.role, other.index): other.ports for other in placed},
        uid=task.uid,
        framework_attempt=task.attempt,
        task_attempt=task.retry,
        gpus=tuple(task.gpus) if gpus_managed else None,
    )


def image_of(document: Mapping[str, Any], role: str) -> Image:
    """Return the image of a task role, with the credentials of its registry."""
    name = document["taskRoles"][role]["dockerImage"]
    listed = document.get("prerequisites") or ()
    images = (item for item in listed if item.get("type") == "dockerimage")
    found: Mapping[str, Any] = next((item for item in images if item.get("name") == name), {})
    auth = found.get("auth")
    login = auth if isinstance(auth, Mapping) else {}
    user, password = (
        render_secrets(str(login.get(key) or ""), document.get("secrets"))
        for key in ("username", "password")
    )
    return Image(str(found.get("uri", name)), user, password, str(login.get("registryuri") or ""))


def storage_mounts(document: Mapping[str, Any], storages: Mapping[str, Path]) -> list[Mount]:
    """Return the storages that a job mounts, as rest-server reads them.

    An empty list in the job means the user's default storages, here the first one.
    """
    wanted = (document.get("extras") or {}).get("storages")
    if not isinstance(wanted, list):
        return []
    if not wanted:
        wanted = [{"name": name} for name in list(storages)[:1]]
    mounts = []
    for item in wanted:
        name = str(item.get("name")) if isinstance(item, Mapping) else ""
        if name in storages:
            target = item.get("mountPath") or f"/mnt/{name}"
            mounts.append(Mount(name, str(storages[name]), str(target)))
    return mounts
