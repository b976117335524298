"""Say why a job waits, or why it failed, from all that the cluster tells of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.errors import OpenPaiError

if TYPE_CHECKING:
    from openpai.core.client.logs import LogLine
    from openpai.core.client.remote_job import RemoteJob
    from openpai.core.rest import Event, JobDetail, TaskStatus

__all__ = ["Explanation", "explain", "failure_record"]

_EVENTS = 5


@dataclass(frozen=True)
class Explanation:
    """Why a job is as it is.

    Attributes:
        detail: The job as the server described it.
        summary: One sentence.
        reasons: What the platform says of the cause, the most telling first.
        advice: What the platform advises.
        events: The latest warnings, or the latest events if there was no warning.
        log: The last lines of the task that decided the job's end, or of the first one that runs.
        record: Of a failed job, what openpai-runtime wrote down in the workspace about that task.
    """

    detail: JobDetail
    summary: str
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    log: tuple[LogLine, ...] = ()
    record: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.summary
        yield from (f"  {line}" for reason in self.reasons for line in reason.splitlines())
        yield from (f"  {line}" for line in self.record)
        yield from (f"  -> {text}" for text in self.advice)
        if self.events:
            yield "Events:"
        for event in self.events:
            yield f"  {event.last_timestamp} {event.type} {event.reason}: {event.message}"
        if self.log:
            yield f"Last lines of {self.log[0].role}-{self.log[0].task_index}:"
        yield from (f"  {line.text}" for line in self.log)


def explain(job: RemoteJob, lines: int = 10) -> Explanation:
    """Ask the cluster why the job is as it is.

    Args:
        job: Which job.
        lines: How many lines of the log are shown.

    Raises:
        JobNotFoundError: There is no such job.
        ConnectionFailed: No answer came.
    """
    detail = job.status()
    log = tuple(_last_lines(job, detail, lines))
    return Explanation(
        detail,
        _summary(detail),
        tuple(_reasons(detail, log)),
        detail.advice,
        _events(job),
        log,
        tuple(failure_record(job, detail)),
    )


def _summary(detail: JobDetail) -> str:
    name, state = f"Job '{detail.key}'", detail.state
    retried = f", after {detail.retries} retries" if detail.retries else ""
    if state == "WAITING" and detail.attempt_id is None:
        return f"{name} waits to be created on the cluster."
    if state == "WAITING":
        waiting = sum(task.state == "WAITING" for _, task in detail.tasks())
        return f"{name} waits: {waiting} of its tasks have no place yet{retried}."
    if not detail.ended or state == "SUCCEEDED":
        return f"{name} is {state}{retried}."
    phrase = detail.app_exit_spec.get("phrase")
    told = f" ({phrase})" if phrase else ""
    return f"{name} {state} with exit code {detail.exit_code}{told}{retried}."


def _reasons(detail: JobDetail, log: tuple[LogLine, ...]) -> Iterator[str]:
    """What is known of the end of the job's attempt; nothing while it goes on."""
    spec = detail.app_exit_spec
    if detail.app_exit_trigger_message:
        role, index = detail.app_exit_trigger_task_role, detail.app_exit_trigger_task_index
        yield f"{role}-{index}: {detail.app_exit_trigger_message}"
    if spec.get("reason") and spec.get("code") != 0:
        yield str(spec["reason"])
    if detail.state == "FAILED" and not log:  # the platform keeps the last lines, too
        yield (_kept_errors(detail) or detail.app_exit_diagnostics).rstrip()


def failure_record(job: RemoteJob, detail: JobDetail) -> list[str]:
    """Return what openpai-runtime wrote down about the task that made the job fail.

    It is empty for a job that has not failed, or that does not use the runtime.
    """
    told = _first_failed_task(detail) if detail.state == "FAILED" else None
    if told is None:
        return []
    from openpai.core.client.task_record import record_lines

    role, task = told
    return record_lines(job, role, task.index, (detail.attempt_id, task.attempt_id))


def _kept_errors(detail: JobDetail) -> str:
    """Return the lines that the runtime took for the cause (openpai-runtime, go/pkg/logger)."""
    runtime = detail.app_exit_messages.get("runtime")
    errors = runtime.get("errorLogs") if isinstance(runtime, Mapping) else None
    told = errors.get("user") if isinstance(errors, Mapping) else None
    return told if isinstance(told, str) else ""


def _events(job: RemoteJob) -> tuple[Event, ...]:
    found = job.events()
    warnings = [event for event in found if event.type == "Warning"]
    return tuple((warnings or found)[:_EVENTS])


def _last_lines(job: RemoteJob, detail: JobDetail, count: int) -> Iterator[LogLine]:
    told = _first_failed_task(detail)
    if told is None or count <= 0:
        return
    role, task = told
    try:
        yield from deque(job.log_lines(role, task.index, tail=count), maxlen=count)
    except OpenPaiError:
        return  # a task without a log explains nothing; the rest of the explanation does


def _first_failed_task(detail: JobDetail) -> tuple[str, TaskStatus] | None:
    """Return the task that decided the job's end, else the first one that failed or has begun."""
    tasks = list(detail.tasks())
    trigger: Any = (detail.app_exit_trigger_task_role, detail.app_exit_trigger_task_index)
    for role, task in tasks:
        if (role, task.index) == trigger:
            return role, task
    begun = [(role, task) for role, task in tasks if task.launched_time is not None]
    failed = [(role, task) for role, task in begun if task.state == "FAILED"]
    return next(iter(failed + begun), None)
