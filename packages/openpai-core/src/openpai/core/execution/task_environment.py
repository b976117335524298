"""The environment variables of a task.

The REST server sets those that need only the job (rest-server/src/models/v2/job/runtime-env.js,
k8s.js), with role names as written; the runtime adds those that depend on where tasks run
(openpai-runtime: src/init.d/framework_parser.py), with role names folded to ``[a-z0-9]``;
FrameworkController adds ``FC_*``.
"""

from __future__ import annotations

import hashlib
from typing import Any, Mapping, Sequence

from openpai.core.execution.completion import completion_limits
from openpai.core.protocol import convert_name, encode_name, instances, js, task_roles

__all__ = ["controller_environment", "job_environment", "place_environment"]

Ports = Mapping[str, Sequence[int]]
Task = "tuple[str, int]"


def job_environment(document: Mapping[str, Any], user: str, virtual_cluster: str) -> dict[str, str]:
    """Return the variables of all tasks of a job.

    Args:
        document: The job.
        user: Its owner.
        virtual_cluster: Its virtual cluster.
    """
    roles = task_roles(document)
    counts = {name: instances(role) for name, role in roles.items()}
    job = f"{user}~{document['name']}"
    names, total = ",".join(roles), str(sum(counts.values()))
    environment = {
        "PAI_FRAMEWORK_NAME": job,
        "PAI_JOB_NAME": job,
        "PAI_USER_NAME": user,
        "PAI_DEFAULT_FS_URI": "",
        "PAI_TASK_ROLE_COUNT": str(len(roles)),
        "PAI_TASK_ROLE_LIST": names,
        "PAI_VIRTUAL_CLUSTER": virtual_cluster,
    }
    for name, role in roles.items():
        failed, succeeded = completion_limits(role)
        environment[f"PAI_TASK_ROLE_TASK_COUNT_{name}"] = str(counts[name])
        environment[f"PAI_RESOURCE_{name}"] = _resources(role)
        environment[f"PAI_MIN_FAILED_TASK_COUNT_{name}"] = str(failed)
        environment[f"PAI_MIN_SUCCEEDED_TASK_COUNT_{name}"] = str(succeeded)
    return {
        **environment,
        "PAI_USERNAME": user,
        "PAI_TASKS_NUM": total,
        "PAI_JOB_TASK_COUNT": total,
        "PAI_TASK_ROLES_NUM": str(len(roles)),
        "PAI_JOB_TASK_ROLE_COUNT": str(len(roles)),
        "PAI_JOB_TASK_ROLE_LIST": names,
    }


def _resources(role: Mapping[str, Any]) -> str:
    """Return ``gpu,cpu,memory,shm`` as requested; shm is 0 by default."""
    wanted = role["resourcePerInstance"]
    shm = (role.get("extraContainerOptions") or {}).get("shmMB", 0)
    return js.text([wanted["gpu"], wanted["cpu"], wanted["memoryMB"], shm])


def place_environment(
    role: str,
    index: int,
    ips: Mapping[tuple[str, int], str],
    ports: Mapping[tuple[str, int], Ports],
    tasks: Sequence[tuple[str, int]],
) -> dict[str, str]:
    """Return the variables about where the tasks of a job run.

    Args:
        role: The task role of this task, as written.
        index: Its index.
        ips: The host's address of each placed task.
        ports: The ports of each placed task.
        tasks: All tasks of the job.
    """
    environment: dict[str, str] = {}
    hosts: dict[str, list[str]] = {convert_name(name): [] for name, _ in tasks}
    for task in tasks:
        if task not in ips:
            continue
        name, number = convert_name(task[0]), task[1]
        labels = ports.get(task, {})
        for label, numbers in labels.items():
            text = ",".join(map(str, numbers))
            environment[f"PAI_PORT_LIST_{name}_{number}_{label}"] = text
            environment[f"PAI_{name}_{number}_{label}_PORT"] = text
        environment[f"PAI_HOST_IP_{name}_{number}"] = ips[task]
        if labels.get("http"):
            hosts[name].append(f"{ips[task]}:{labels['http'][0]}")
        if task == (role, index):
            environment.update(_own_place(ips[task], labels))
    for name, addresses in hosts.items():
        environment[f"PAI_TASK_ROLE_{name}_HOST_LIST"] = ",".join(addresses)
    indices = (f"{convert_name(name)}:{number}" for name, number in tasks)
    environment["PAI_TASK_ROLE_INSTANCES"] = ",".join(indices)
    return environment


def _own_place(ip: str, labels: Ports) -> dict[str, str]:
    environment = {"PAI_CURRENT_CONTAINER_IP": ip, "PAI_CONTAINER_HOST_IP": ip}
    if labels.get("http"):
        environment["PAI_CURRENT_CONTAINER_PORT"] = str(labels["http"][0])
        environment["PAI_CONTAINER_HOST_PORT"] = str(labels["http"][0])
    if labels.get("ssh"):
        environment["PAI_CONTAINER_SSH_PORT"] = str(labels["ssh"][0])
    lists = {label: ",".join(map(str, numbers)) for label, numbers in labels.items()}
    for label, text in lists.items():
        environment[f"PAI_CONTAINER_HOST_{label}_PORT_LIST"] = text
    environment["PAI_CONTAINER_HOST_PORT_LIST"] = "".join(
        f"{label}:{text};" for label, text in lists.items()
    )
    return environment


def controller_environment(
    job: str, role: str, index: int, uid: str, attempts: tuple[int, int]
) -> dict[str, str]:
    """Return FrameworkController's variables.

    Args:
        job: ``<user>~<job>``.
        role: The task role, as written.
        index: The task's index.
        uid: The uid of this attempt of the task.
        attempts: Number of earlier attempts of (the job, the task).
    """
    framework, name = encode_name(job), convert_name(role)
    attempt = f"{framework}-{attempts[0]}"
    config_uid = _uid(attempt)
    return {
        "FC_FRAMEWORK_NAMESPACE": "default",
        "FC_FRAMEWORK_NAME": framework,
        "FC_TASKROLE_NAME": name,
        "FC_TASK_INDEX": str(index),
        "FC_CONFIGMAP_NAME": f"{framework}-attempt",
        "FC_POD_NAME": f"{framework}-{name}-{index}",
        "FC_FRAMEWORK_UID": _uid(framework),
        "FC_FRAMEWORK_ATTEMPT_ID": str(attempts[0]),
        "FC_FRAMEWORK_ATTEMPT_INSTANCE_UID": f"{attempts[0]}_{config_uid}",
        "FC_CONFIGMAP_UID": config_uid,
        "FC_TASKROLE_UID": _uid(f"{attempt}-{name}"),
        "FC_TASK_UID": _uid(f"{attempt}-{name}-{index}"),
        "FC_TASK_ATTEMPT_ID": str(attempts[1]),
        "FC_POD_UID": uid,
        "FC_TASK_ATTEMPT_INSTANCE_UID": f"{attempts[1]}_{uid}",
    }


def _uid(name: str) -> str:
    """Return a uid derived from a name; Kubernetes would use a random one."""
    digits = hashlib.sha256(name.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
