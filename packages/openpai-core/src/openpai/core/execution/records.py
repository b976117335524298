"""Records of jobs, attempts, tasks and events, as the REST API shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Attempt",
    "Event",
    "Job",
    "Task",
]


@dataclass
class Job:
    """A job: FrameworkController's framework with the fields of the REST server.

    Attributes:
        debug_id: The framework's name, MD5 of ``user~name``.
        sub_state: FrameworkController's state of the framework.
        attempt: The newest attempt's index; -1 before the first.
        retries: Number of retries.
        user_retries: Retries that count against ``jobRetryCount``.
        retry_at: When the next attempt may begin, while a delay runs.
        retry_delay: That delay in seconds.
        summary: The job's item in lists as JSON text, with an empty list of tags.
        code: The completion code of the newest attempt that has one.
    """

    id: int
    debug_id: str
    user: str
    name: str
    virtual_cluster: str
    submitted: int
    priority: str | None = None
    execution_type: str = "START"
    sub_state: str = "AttemptCreationPending"
    state: str = "WAITING"
    created: int | None = None
    launched: int | None = None
    completed: int | None = None
    attempt: int = -1
    retries: int = 0
    user_retries: int = 0
    retry_at: int | None = None
    retry_delay: int | None = None
    code: int | None = None
    gpus: int = 0
    tasks: int = 0
    roles: int = 0
    summary: str = ""

    @property
    def framework(self) -> str:
        """``user~name``, as in paths of the API."""
        return f"{self.user}~{self.name}"

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.sub_state == "Completed"


@dataclass
class Attempt:
    """One attempt of a job.

    Attributes:
        uid: The attempt's uid, part of ``appId``.
        code: The completion code, as soon as it is decided.
        type: ``Succeeded`` or ``Failed``.
        diagnostics: FrameworkController's diagnostics.
        trigger_role: The role, as written, of the task that decided it.
    """

    job: int
    index: int
    uid: str
    created: int
    sub_state: str = "AttemptPreparing"
    launched: int | None = None
    completed: int | None = None
    code: int | None = None
    type: str | None = None
    diagnostics: str | None = None
    trigger_message: str | None = None
    trigger_role: str | None = None
    trigger_index: int | None = None


@dataclass
class Task:
    """One attempt of one task of one job attempt.

    Attributes:
        uid: The uid of this attempt, PAI's pod UID.
        task_uid: The uid of the task, the same for all attempts.
        role: The role as its author spelled it.
        node_ip: Where it runs; ``None`` until it is placed.
        code: The code PAI reports.
        user_code: The exit status of the user's command.
        type: FrameworkController's completion type: ``Succeeded``, ``Failed``, ….
        message: The message of PAI's runtime about a failure.
        born: When the first attempt was created.
        counted: Retries that count against ``taskRetryCount``.
        over: Whether the task has ended, not only this attempt.
    """

    job: int
    attempt: int
    role: str
    index: int
    retry: int
    uid: str
    task_uid: str
    created: int
    born: int
    first_launched: int | None = None
    counted: int = 0
    sub_state: str = "AttemptPreparing"
    launched: int | None = None
    completed: int | None = None
    retry_at: int | None = None
    node_ip: str | None = None
    ports: dict[str, list[int]] = field(default_factory=dict)
    gpus: list[int] = field(default_factory=list)
    code: int | None = None
    user_code: int | None = None
    type: str | None = None
    diagnostics: str | None = None
    message: dict[str, Any] = field(default_factory=dict)
    over: bool = False


@dataclass
class Event:
    """An event of a job, of type ``Warning`` or ``Normal``."""

    uid: str
    job: int
    type: str
    reason: str
    message: str
    at: int
    pod: str | None = None
    role: str | None = None
    index: int | None = None
