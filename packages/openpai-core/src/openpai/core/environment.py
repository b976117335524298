"""Detect where this code runs: on a laptop, in a PAI job container, or in a local cluster's task.

The REST server sets ``PAI_*`` variables in every task container and FrameworkController sets
``FC_*`` (rest-server/src/models/v2/job/runtime-env.js). ``PAI_CONTAINER_ID``, which the old SDK
used, is not set since PAI runs on Kubernetes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Mapping

__all__ = ["LOOPBACK_HOSTS", "TaskContext", "in_job_container", "in_local_cluster"]

#: Host names of this machine's loopback, in URLs and job files.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


def in_job_container(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this process is part of a task of a PAI job, also of a local cluster."""
    environ = os.environ if environ is None else environ
    return bool(environ.get("PAI_FRAMEWORK_NAME")) and "PAI_CURRENT_TASK_ROLE_NAME" in environ


def in_local_cluster(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this process is part of a task of a local cluster."""
    environ = os.environ if environ is None else environ
    return in_job_container(environ) and "OPENPAI_LOCAL_CLUSTER" in environ


@dataclass(frozen=True)
class TaskContext:
    """The task of this process.

    Attributes:
        user: The submitter's name.
        job: The job's name, without the user.
        role: The task role as its author spelled it.
        index: The task's index in its role, from 0.
        job_attempt: Number of earlier attempts of the job.
        task_attempt: Number of earlier attempts of the task in this job attempt.
    """

    user: str
    job: str
    role: str
    index: int
    job_attempt: int = 0
    task_attempt: int = 0

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> TaskContext | None:
        """Read it from ``PAI_*`` and ``FC_*`` variables; ``None`` outside a job container."""
        environ = os.environ if environ is None else environ
        if not in_job_container(environ):
            return None
        user, _, job = environ["PAI_FRAMEWORK_NAME"].partition("~")
        return cls(
            user=user,
            job=job,
            role=environ["PAI_CURRENT_TASK_ROLE_NAME"],
            index=int(environ.get("PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX") or 0),
            job_attempt=int(environ.get("FC_FRAMEWORK_ATTEMPT_ID") or 0),
            task_attempt=int(environ.get("FC_TASK_ATTEMPT_ID") or 0),
        )
