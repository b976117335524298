"""Plan a task: environment, ordered steps, ports and limits, as a pure function.

A plan is executed step by step, each in a bash of its own with the environment: those for
``start``, then ``main``, then those for ``success`` if ``main`` returned 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.execution.task_environment import (
    controller_environment,
    job_environment,
    place_environment,
)
from openpai.core.protocol import (
    fill_parameters,
    instances,
    plugin_commands,
    render_job,
    render_secrets,
    resolve_references,
    role_plugins,
    task_roles,
)

__all__ = ["Limits", "Placement", "Step", "TaskPlan", "plan_task", "role_limits", "role_ports"]

_STRICT_BASH = "set -o errexit\nset -o nounset\nset -o pipefail\n"
_DEFAULT_SHM_MB = 512


@dataclass(frozen=True)
class Placement:
    """Nodes of the tasks of a job, and the attempt.

    Attributes:
        user: The job's owner.
        virtual_cluster: Its virtual cluster.
        ips: The host's address of each placed task, by (role as written, index).
        ports: The ports of each such task, by label.
        uid: The uid of this attempt of the task.
        framework_attempt: Number of earlier attempts of the job.
        task_attempt: Number of earlier attempts of the task in this attempt of the job.
        gpus: Numbers of the task's GPUs; ``None`` where GPUs are not assigned.
    """

    user: str
    virtual_cluster: str
    ips: Mapping[tuple[str, int], str]
    ports: Mapping[tuple[str, int], Mapping[str, Sequence[int]]]
    uid: str
    framework_attempt: int = 0
    task_attempt: int = 0
    gpus: Sequence[int] | None = None


@dataclass(frozen=True)
class Step:
    """One bash script of a task.

    Attributes:
        name: ``plugin_pre0``, ``main``, ``plugin_post0``, …
        script: Its text.
        failure_policy: ``fail`` if its failure fails the task, else ``ignore``.
        when: ``start``, ``main`` or ``success``.
    """

    name: str
    script: str
    failure_policy: str
    when: str


@dataclass(frozen=True)
class Limits:
    """The resources of a task.

    Attributes:
        cpu: CPU cores.
        memory_mb: Memory in MiB.
        gpu: Number of GPUs.
        shm_mb: Size of /dev/shm in MiB.
    """

    cpu: int
    memory_mb: int
    gpu: int
    shm_mb: int


@dataclass(frozen=True)
class TaskPlan:
    """The plan of one task.

    Attributes:
        role: Its task role, as written.
        index: Its index.
        environment: Variables to add to the environment.
        steps: The scripts in order.
        ports: Its ports by label.
        limits: Its resources.
    """

    role: str
    index: int
    environment: dict[str, str] = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    ports: dict[str, tuple[int, ...]]
    limits: Limits


def role_ports(document: Mapping[str, Any], role: str) -> dict[str, int]:
    """Return the number of ports of each task by label, with ``ssh`` and ``http``."""
    ports = document["taskRoles"][role]["resourcePerInstance"].get("ports")
    counts = (
        {label: max(int(n), 0) for label, n in ports.items()} if isinstance(ports, dict) else {}
    )
    return {**counts, **{label: 1 for label in ("ssh", "http") if label not in counts}}


def role_limits(document: Mapping[str, Any], role: str) -> Limits:
    """Return the resources of each task of a role."""
    described = document["taskRoles"][role]
    wanted = described["resourcePerInstance"]
    shm = (described.get("extraContainerOptions") or {}).get("shmMB") or _DEFAULT_SHM_MB
    return Limits(int(wanted["cpu"]), int(wanted["memoryMB"]), int(wanted["gpu"]), int(shm))


def plan_task(
    document: Mapping[str, Any],
    role: str,
    index: int,
    placement: Placement,
    *,
    secrets: Mapping[str, Any] | None = None,
) -> TaskPlan:
    """Return the plan of one task.

    Args:
        document: A job that the server accepts.
        role: A task role of it, as written.
        index: The task's index in the role.
        placement: Where the tasks run.
        secrets: The job's secrets; without them ``<% $secrets… %>`` is kept.

    Raises:
        JsError: A template cannot be rendered.
    """
    script = render_job(dict(document), resolve_references(dict(document)))[role]
    main = Step("main", _STRICT_BASH + render_secrets(script, secrets), "fail", "main")
    before, after = _plugin_steps(document, role, index, secrets)
    ports = placement.ports.get((role, index), {})
    return TaskPlan(
        role=role,
        index=index,
        environment=_environment(document, role, index, placement),
        steps=(*before, main, *after),
        ports={label: tuple(numbers) for label, numbers in ports.items()},
        limits=role_limits(document, role),
    )


def _plugin_steps(
    document: Mapping[str, Any],
    role: str,
    index: int,
    secrets: Mapping[str, Any] | None,
) -> tuple[list[Step], list[Step]]:
    before: list[Step] = []
    after: list[Step] = []
    is_first = index == 0 and next(iter(document["taskRoles"])) == role
    for number, plugin in enumerate(role_plugins(document, role)):
        filled = fill_parameters(plugin.parameters, document, role, secrets)
        start, success = plugin_commands(plugin.name, filled, is_first=is_first)
        policy = "ignore" if plugin.ignores_failure else "fail"
        if start:
            before.append(Step(f"plugin_pre{number}", _script(start, policy), policy, "start"))
        if success:
            step = Step(f"plugin_post{number}", _script(success, policy), policy, "success")
            after.insert(0, step)
    return before, after


def _script(commands: Sequence[str], policy: str) -> str:
    """Return the script of a plugin; if failures are ignored, it runs to the last line."""
    if policy == "ignore":
        return "\n".join(["set +o errexit", *map(str, commands), "exit 0", ""])
    return "\n".join(["set -o errexit", *map(str, commands), ""])


def _environment(
    document: Mapping[str, Any], role: str, index: int, placement: Placement
) -> dict[str, str]:
    job = f"{placement.user}~{document['name']}"
    attempts = placement.framework_attempt, placement.task_attempt
    return {
        **job_environment(document, placement.user, placement.virtual_cluster),
        "PAI_CURRENT_TASK_ROLE_NAME": role,
        "PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX": str(index),
        "PAI_TASK_INDEX": str(index),
        **dict(_devices(document, role, placement)),
        **controller_environment(job, role, index, placement.uid, attempts),
        **place_environment(
            role, index, placement.ips, placement.ports, list(_all_tasks(document))
        ),
    }


def _devices(
    document: Mapping[str, Any], role: str, placement: Placement
) -> Iterator[tuple[str, str]]:
    if role_limits(document, role).gpu <= 0:
        yield "NVIDIA_VISIBLE_DEVICES", "none"
    elif placement.gpus is not None:
        yield "NVIDIA_VISIBLE_DEVICES", ",".join(map(str, placement.gpus))


def _all_tasks(document: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, role in task_roles(document).items():
        for number in range(instances(role)):
            yield name, number
