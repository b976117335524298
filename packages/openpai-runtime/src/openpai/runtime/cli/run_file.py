"""Run one task of a job file on this machine, without a server."""

from __future__ import annotations

import os
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.errors import OpenPaiError
from openpai.core.execution import Placement, Step, TaskPlan, plan_task, role_ports, task_ports
from openpai.core.files import write_private
from openpai.core.protocol import (
    Job,
    RuntimeSection,
    can_validate,
    dump_yaml,
    instances,
    mask_secrets,
)
from openpai.runtime.exit_codes import NOT_READY
from openpai.runtime.job import TaskJob, valid_section
from openpai.runtime.log import log
from openpai.runtime.process import active_environ, run_command, shell
from openpai.runtime.task import run_task

__all__ = ["execute"]

_HERE = "127.0.0.1"


def execute(path: Path, role: str, index: int, environ: Mapping[str, str]) -> int:
    """Run the steps of one task in the working directory and return its exit code.

    In the environment each task of the job has the loopback address and its own ports; no other
    task is started.

    Args:
        path: The job's file.
        role: The task role.
        index: The task's index in it.
        environ: The base environment.

    Raises:
        ProtocolError: The file is not a job that a server would accept.
        OpenPaiError: The job has no such task.
        OSError: The file cannot be read.
    """
    job = Job.from_file(path)
    if can_validate():
        job.validate(strict=False)
    document = job.document
    tasks = list(_tasks(document))
    if (role, index) not in tasks:
        known = ", ".join(f"{name} {number}" for name, number in tasks[:20])
        raise OpenPaiError(f"The job has no task {role} {index}.", f"It has: {known}.")
    plan = _plan(document, role, index, tasks, environ)
    with tempfile.TemporaryDirectory(prefix="openpai-task-") as folder:
        config = _private(Path(folder) / "job.yaml", mask_secrets(job.to_yaml()))
        environ = {
            **environ,
            "PAI_WORK_DIR": os.fspath(Path.cwd()),
            **plan.environment,
            "OPENPAI_JOB_CONFIG": str(config),
        }
        if document.get("secrets"):
            secrets = _private(Path(folder) / "secrets.yaml", dump_yaml(document["secrets"]))
            os.environ["OPENPAI_SECRETS"] = environ["OPENPAI_SECRETS"] = str(secrets)
        return _run_steps(plan, document, environ, Path(folder))


def _tasks(document: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, role in document["taskRoles"].items():
        for number in range(instances(role)):
            yield name, number


def _plan(
    document: Mapping[str, Any],
    role: str,
    index: int,
    tasks: Sequence[tuple[str, int]],
    environ: Mapping[str, str],
) -> TaskPlan:
    uids = {task: str(uuid.uuid4()) for task in tasks}
    defaults = document.get("defaults") or {}
    placement = Placement(
        user=environ.get("USER") or "user",
        virtual_cluster=str(defaults.get("virtualCluster") or "default"),
        ips=dict.fromkeys(tasks, _HERE),
        ports={task: task_ports(uids[task], role_ports(document, task[0])) for task in tasks},
        uid=uids[role, index],
    )
    return plan_task(document, role, index, placement, secrets=document.get("secrets"))


def _private(path: Path, text: str) -> Path:
    """Write a private file, as scripts may contain secrets."""
    write_private(path, text)
    return path


def _run_steps(
    plan: TaskPlan, document: Mapping[str, Any], environ: Mapping[str, str], folder: Path
) -> int:
    """Run the steps in order; those after the main one only if it succeeded."""
    for number, step in enumerate(plan.steps):
        script = _private(folder / f"{number}-{step.name}.sh", step.script)
        code = _run_step(step, [shell(environ), str(script)], document, environ)
        if code and step.failure_policy != "ignore":
            return code
    return 0


def _run_step(
    step: Step, argv: Sequence[str], document: Mapping[str, Any], environ: Mapping[str, str]
) -> int:
    if step.when != "main":
        return run_command(argv, environ)
    try:
        section = valid_section(document)
    except OpenPaiError as error:
        log(f"The command is not started. {error}")
        return NOT_READY
    if section is None:
        return run_command(argv, active_environ(environ))
    return run_task(TaskJob.of(document, _single_task(section), environ), argv)


def _single_task(section: RuntimeSection) -> RuntimeSection:
    """Return the section without ssh and the barrier, which need the other tasks."""
    if not section.wait_for_peers and not section.ssh:
        return section
    log("No other task is started: waitForPeers and ssh are ignored.")
    return replace(section, wait_for_peers=None, ssh=False)
