"""Completion and retry policies of FrameworkController, as pure functions.

Sources: frameworkcontroller/pkg/apis/frameworkcontroller/v1/types.go (CompletionPolicySpec,
RetryPolicySpec), and the defaults of rest-server/src/models/v2/job/k8s.js.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from openpai.core.execution.exit_codes import exit_spec
from openpai.core.protocol import instances, task_roles

__all__ = [
    "ATTEMPT_OVER",
    "STOP_REQUESTED",
    "FinishedTask",
    "Outcome",
    "RetryDecision",
    "completion_limits",
    "job_outcome",
    "should_retry",
]

_STOPPED_ON_PURPOSE = (-210, -220, -230)
_CONFLICT_DELAY = (60.0, 900.0)
# Codes that FrameworkController accepts from any container, before it uses the table.
_RESERVED = {200: "TRANSIENT", 201: "TRANSIENT_CONFLICT", 210: "PERMANENT"}


@dataclass(frozen=True)
class FinishedTask:
    """A task that has ended after its own retries.

    Attributes:
        role: The task role as written in the job.
        index: The task's index in its role.
        code: The exit code.
        type: ``Succeeded`` or ``Failed``.
        completed_at: The time of its end, in any unit.
    """

    role: str
    index: int
    code: int
    type: str
    completed_at: float

    @property
    def succeeded(self) -> bool:
        """Whether the task succeeded."""
        return self.code == 0


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job attempt.

    Attributes:
        code: The exit code: 0, or that of the task that decided.
        type: ``Succeeded`` or ``Failed``.
        message: FrameworkController's message about the rule that decided.
        role: The role of the task that triggered it; ``None`` if all tasks ended.
        index: Its index.
    """

    code: int
    type: str
    message: str
    role: str | None = None
    index: int | None = None


@dataclass(frozen=True)
class RetryDecision:
    """Whether a job or task attempt is retried.

    Attributes:
        retry: Whether it is.
        accountable: Whether the retry counts against the maximum.
        delay: Bounds in seconds of the random wait before it.
    """

    retry: bool
    accountable: bool = False
    delay: tuple[float, float] = (0.0, 0.0)


def completion_limits(role: Mapping[str, Any]) -> tuple[int, int]:
    """Return (minFailedInstances, minSucceededInstances) of a task role with the server's defaults.

    Missing, null and 0 mean 1 failed and all succeeded; negative numbers disable a rule.
    """
    completion = role.get("completion") or {}
    total = instances(role)
    failed = completion.get("minFailedInstances") or 1
    succeeded = completion.get("minSucceededInstances") or total
    return int(failed), int(succeeded)


def job_outcome(document: Mapping[str, Any], finished: Sequence[FinishedTask]) -> Outcome | None:
    """Return the outcome of a job attempt, or ``None`` if it is not decided.

    Args:
        document: The job.
        finished: The tasks of this attempt that have ended, in any order.
    """
    roles = task_roles(document)
    limits = {name: completion_limits(role) for name, role in roles.items()}
    counts = dict.fromkeys([(name, ok) for name in roles for ok in (False, True)], 0)
    for task in sorted(finished, key=lambda task: task.completed_at):
        ok = task.succeeded
        counts[task.role, ok] += 1
        limit = limits[task.role][ok]
        if 1 <= limit <= counts[task.role, ok]:
            kind = "Succeeded" if ok else "Failed"
            message = (
                f"{kind}TaskCount {counts[task.role, ok]} has reached "
                f"Min{kind}TaskCount {limit} in the TaskRole"
            )
            return Outcome(task.code, kind, message, task.role, task.index)
    total = sum(instances(role) for role in roles.values())
    if len(finished) < total:
        return None
    return Outcome(
        0,
        "Succeeded",
        f"CompletedTaskCount {len(finished)} has reached TotalTaskCount {total} and no user "
        "specified conditions in FrameworkAttemptCompletionPolicy have ever been triggered",
    )


def should_retry(
    code: int, *, fancy: bool, max_retry: int, accountable_retries: int
) -> RetryDecision:
    """Return whether an ended job or task attempt is retried.

    Args:
        code: Its exit code.
        fancy: Whether failures of the platform are retried without limit, and known failures of
            the user never; true for every job of PAI.
        max_retry: Maximum retries of other failures; -1 for no limit, -2 even after success.
        accountable_retries: Number of retries that counted so far.
    """
    if code in _STOPPED_ON_PURPOSE:
        return RetryDecision(False)
    behavior = _RESERVED.get(code) or exit_spec(code)["behavior"]
    if fancy and code != 0:
        if behavior == "TRANSIENT":
            return RetryDecision(True)
        if behavior == "TRANSIENT_CONFLICT":
            return RetryDecision(True, delay=_CONFLICT_DELAY)
        if behavior == "PERMANENT":
            return RetryDecision(False)
    if max_retry == -2:
        return RetryDecision(True, accountable=True)
    retry = code != 0 and (max_retry == -1 or accountable_retries < max_retry)
    return RetryDecision(retry, accountable=retry)


#: Codes of a stopped job, and of tasks that had not ended when the attempt was decided.
STOP_REQUESTED = -210


ATTEMPT_OVER = -220
