"""Records of jobs: what the REST API shows of a job, its attempts, tasks and events."""

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
    """One job: FrameworkController's framework with what the REST server adds to it.

    Attributes:
        debug_id: The framework's name, MD5 of ``user~name``.
        sub_state: FrameworkController's state of the framework.
        attempt: The newest attempt's index; -1 before the first.
        retries: How often the job was started anew.
        user_retries: How many of those count against ``jobRetryCount``.
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
        """``user~name``, as the API's paths have it."""
        return f"{self.user}~{self.name}"

    @property
    def is_over(self) -> bool:
        """Whether the job has ended for good."""
        return self.sub_state == "Completed"


@dataclass
class Attempt:
    """One run of a whole job. ``decided`` outcomes wait until every task has ended.

    Attributes:
        uid: The attempt's own identity, part of ``appId``.
        code: The completion code, as soon as it is decided.
        type: ``Succeeded`` or ``Failed``.
        diagnostics: Why, in FrameworkController's words.
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
        uid: This attempt's identity: what PAI calls the pod's UID.
        task_uid: The task's identity, the same for all its attempts.
        role: The role as its author spelled it.
        node_ip: Where it runs; ``None`` until it is placed.
        code: The code PAI reports.
        user_code: The status that the user's own command ended with.
        type: FrameworkController's completion type: ``Succeeded``, ``Failed``, ….
        message: What PAI's runtime would have written about a failure.
        born: When the task (its first attempt) was created.
        counted: Retries that count against ``taskRetryCount``.
        over: Whether the task has ended for good, not only this attempt.
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
    """Something that happened to a job; only ``Warning`` and ``Normal`` events are known."""

    uid: str
    job: int
    type: str
    reason: str
    message: str
    at: int
    pod: str | None = None
    role: str | None = None
    index: int | None = None
