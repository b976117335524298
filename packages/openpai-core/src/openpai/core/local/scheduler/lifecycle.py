"""State machine of jobs, attempts and tasks, as FrameworkController has it, on plain records.

Nothing here reads a clock, starts a process or stores a record: a function takes the time and
changes the records of one :class:`ActiveJob`.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Mapping

from openpai.core.execution import (
    ATTEMPT_OVER,
    STOP_REQUESTED,
    Attempt,
    FinishedTask,
    Job,
    Task,
    job_outcome,
    role_ports,
    should_retry,
    task_ports,
)
from openpai.core.local.scheduler.scheduler import is_gang
from openpai.core.protocol import instances, task_roles
from openpai.core.states import job_state

if TYPE_CHECKING:
    from openpai.core.local.scheduler.exit_report import Report

__all__ = [
    "ActiveJob",
    "begin_attempt",
    "decide_attempt",
    "end_task",
    "finish_attempt",
    "request_deletion",
    "task_launched",
]


@dataclass
class ActiveJob:
    """A job that has not ended, with its newest attempt.

    Attributes:
        document: The job as submitted, secrets included.
        tasks: The newest attempt of each task, by (role, index).
        older: Earlier attempts of tasks that have changed and are not stored yet.
        reason: Why the job waits, as last reported.
    """

    job: Job
    document: Mapping[str, Any]
    attempt: Attempt | None = None
    tasks: dict[tuple[str, int], Task] = field(default_factory=dict)
    older: list[Task] = field(default_factory=list)
    reason: str = ""

    @property
    def gang(self) -> bool:
        """Whether all tasks start together."""
        return is_gang(self.document)

    @property
    def is_decided(self) -> bool:
        """Whether the newest attempt's outcome is decided; tasks may still be ending."""
        return self.attempt is not None and self.attempt.code is not None

    def set_state(self, sub_state: str) -> None:
        """Put the job and its attempt into a state of FrameworkController."""
        self.job.sub_state = sub_state
        self.job.state = job_state(sub_state, self.job.code)
        if self.attempt is not None:
            self.attempt.sub_state = sub_state


def begin_attempt(live: ActiveJob, now: int) -> None:
    """Create the next attempt with all its tasks, waiting to be placed."""
    job = live.job
    job.attempt += 1
    job.created = job.created or now
    job.code = None
    job.retry_at = job.retry_delay = None
    live.attempt = Attempt(job=job.id, index=job.attempt, uid=str(uuid.uuid4()), created=now)
    live.reason = ""
    live.tasks = {}
    for name, role in task_roles(live.document).items():
        for index in range(instances(role)):
            task = Task(
                job=job.id,
                attempt=job.attempt,
                role=name,
                index=index,
                retry=0,
                uid="",
                task_uid=str(uuid.uuid4()),
                created=now,
                born=now,
            )
            _give_uid(live, task)
            live.tasks[name, index] = task
    live.set_state("AttemptPreparing")


def _give_uid(live: ActiveJob, task: Task) -> None:
    """Set a task's uid and ports; both may change until it is placed."""
    task.uid = str(uuid.uuid4())
    ports = task_ports(task.uid, role_ports(live.document, task.role))
    task.ports = {label: list(numbers) for label, numbers in ports.items()}


def task_launched(live: ActiveJob, task: Task, at: int) -> None:
    """Record that a task runs, and with it its attempt and job."""
    task.sub_state = "AttemptRunning"
    task.launched = at
    task.first_launched = task.first_launched or at
    live.job.launched = live.job.launched or at
    if live.attempt is not None and not live.is_decided:
        live.attempt.launched = live.attempt.launched or at
        live.set_state("AttemptRunning")


def request_deletion(task: Task) -> None:
    """Record that a task must end because its attempt is decided."""
    task.sub_state = "AttemptDeletionPending"
    task.code = ATTEMPT_OVER


def end_task(live: ActiveJob, task: Task, report: Report, now: int) -> None:
    """Record the end of a task attempt; create the next one if it is retried."""
    task.code = report.code
    task.user_code = report.user_code
    task.type = "Succeeded" if report.code == 0 else "Failed"
    task.diagnostics = report.diagnostics
    task.message = dict(report.message or {})
    task.completed = now
    task.launched = task.launched or now
    task.first_launched = task.first_launched or task.launched
    if not live.is_decided and not live.gang:
        role = live.document["taskRoles"][task.role]
        decision = should_retry(
            report.code,
            fancy=True,
            max_retry=int(role.get("taskRetryCount") or 0),
            accountable_retries=task.counted,
        )
        if decision.retry:
            delay = _delay(decision.delay) or _retry_pause(task.retry)
            _retry_task(live, task, decision.accountable, now + delay)
            return
    task.over = True
    task.sub_state = "Completed"


def _retry_task(live: ActiveJob, task: Task, accountable: bool, at: int) -> None:
    task.sub_state = "AttemptCompleted"
    live.older.append(task)
    again = Task(
        job=task.job,
        attempt=task.attempt,
        role=task.role,
        index=task.index,
        retry=task.retry + 1,
        uid="",
        task_uid=task.task_uid,
        created=at,
        born=task.born,
        first_launched=task.first_launched,
        counted=task.counted + int(accountable),
        retry_at=at,
    )
    _give_uid(live, again)
    live.tasks[task.role, task.index] = again


def decide_attempt(live: ActiveJob) -> bool:
    """Decide the attempt's outcome if possible; return whether it was decided now."""
    attempt = live.attempt
    if attempt is None or live.is_decided:
        return False
    if live.job.execution_type == "STOP":
        attempt.code = live.job.code = STOP_REQUESTED
        attempt.type = "Failed"
        attempt.diagnostics = "User has requested to stop the Framework"
        live.set_state("AttemptDeletionPending")
        return True
    if not live.tasks:  # FrameworkController never ends a job without tasks
        return False
    finished = [
        FinishedTask(task.role, task.index, task.code or 0, task.type or "", task.completed or 0)
        for task in live.tasks.values()
        if task.over
    ]
    outcome = job_outcome(live.document, finished)
    if outcome is None:
        return False
    attempt.code = live.job.code = outcome.code
    attempt.type = "Succeeded" if outcome.code == 0 else "Failed"
    attempt.trigger_message = outcome.message
    attempt.trigger_role = outcome.role
    attempt.trigger_index = outcome.index
    attempt.diagnostics = outcome.message
    if outcome.role is not None and outcome.index is not None:
        attempt.diagnostics = live.tasks[outcome.role, outcome.index].diagnostics
    live.set_state("AttemptDeletionPending")
    return True


def finish_attempt(live: ActiveJob, now: int) -> None:
    """End a decided attempt whose tasks are over: the job ends, or waits for another attempt."""
    job, attempt = live.job, live.attempt
    if attempt is None or attempt.code is None:
        return
    attempt.completed = now
    attempt.launched = attempt.launched or now
    job.launched = job.launched or now
    decision = should_retry(
        attempt.code,
        fancy=True,
        max_retry=int(live.document.get("jobRetryCount") or 0),
        accountable_retries=job.user_retries,
    )
    if decision.retry:
        job.retries += 1
        job.user_retries += int(decision.accountable)
        delay = _delay(decision.delay) or _retry_pause(job.retries)
        job.retry_at = now + delay
        job.retry_delay = delay // 1000
        live.set_state("AttemptCompleted")
        return
    job.completed = now
    live.set_state("Completed")
    attempt.sub_state = "AttemptCompleted"


def _retry_pause(retries: int) -> int:
    """Return milliseconds to wait before the next retry.

    PAI has no such wait, but its containers take seconds to start; without it, a command that is
    retried without limit would occupy the machine.
    """
    return 0 if retries < 5 else min(60_000, 100 * 2 ** min(retries - 5, 10))


def _delay(bounds: tuple[float, float]) -> int:
    """Return milliseconds between two bounds in seconds (no secret depends on them)."""
    return int(random.uniform(*bounds) * 1000)  # noqa: S311
