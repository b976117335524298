"""Explain why a job waits or failed: exit spec, events, log, the runtime's record of the task.

openpai-runtime records why a command failed and which outputs were not saved in a file of the job's
folder (:meth:`~openpai.core.storage.JobFolder.record`), on the workspace's storage.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.deadline import DeadlineError, with_deadline
from openpai.core.errors import OpenPaiError

if TYPE_CHECKING:
    from openpai.core.client.logs import LogLine
    from openpai.core.client.remote_job import RemoteJob
    from openpai.core.rest import Event, JobDetail, TaskStatus

__all__ = ["Explanation", "explain", "failure_lines", "failure_record"]

_MAX_EVENTS = 5
# Some storages hang where others refuse.
_RECORD_SECONDS = 15.0


@dataclass(frozen=True)
class Explanation:
    """Why a job is in its state.

    Attributes:
        detail: The job as the server described it.
        summary: One sentence.
        reasons: The platform's reasons, the most specific first.
        advice: The platform's advice.
        events: The latest warnings, or the latest events if there was no warning.
        log: The last lines of the task that decided the job's end, or of the first one that runs.
        record: For a failed job, openpai-runtime's record of that task.
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
    """Explain the job's state from what the cluster reports.

    Args:
        job: The job.
        lines: The number of log lines to include.

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
    meaning = f" ({phrase})" if phrase else ""
    return f"{name} {state} with exit code {detail.exit_code}{meaning}{retried}."


def _reasons(detail: JobDetail, log: tuple[LogLine, ...]) -> Iterator[str]:
    """Yield what is known of the end of the job's attempt; nothing while it runs."""
    spec = detail.app_exit_spec
    if detail.app_exit_trigger_message:
        role, index = detail.app_exit_trigger_task_role, detail.app_exit_trigger_task_index
        yield f"{role}-{index}: {detail.app_exit_trigger_message}"
    if spec.get("reason") and spec.get("code") != 0:
        yield str(spec["reason"])
    if detail.state == "FAILED" and not log:  # the platform keeps the last lines, too
        yield (_kept_errors(detail) or detail.app_exit_diagnostics).rstrip()


def failure_record(job: RemoteJob, detail: JobDetail) -> list[str]:
    """Return openpai-runtime's record of the task that made the job fail, line by line.

    Empty for a job that has not failed, or that does not use the runtime.
    """
    failed = _first_failed_task(detail) if detail.state == "FAILED" else None
    if failed is None:
        return []
    role, task = failed
    return _record_lines(job, role, task.index, (detail.attempt_id, task.attempt_id))


def _kept_errors(detail: JobDetail) -> str:
    """Return the lines that the runtime marked as the cause (openpai-runtime, go/pkg/logger)."""
    runtime = detail.app_exit_messages.get("runtime")
    errors = runtime.get("errorLogs") if isinstance(runtime, Mapping) else None
    lines = errors.get("user") if isinstance(errors, Mapping) else None
    return lines if isinstance(lines, str) else ""


def _events(job: RemoteJob) -> tuple[Event, ...]:
    found = job.events()
    warnings = [event for event in found if event.type == "Warning"]
    return tuple((warnings or found)[:_MAX_EVENTS])


def _last_lines(job: RemoteJob, detail: JobDetail, count: int) -> Iterator[LogLine]:
    decisive = _first_failed_task(detail)
    if decisive is None or count <= 0:
        return
    role, task = decisive
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


def failure_lines(explanation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one readable block that says why a command failed.

    Args:
        explanation: The key ``explanation`` of a task's record.
    """
    name = explanation.get("signal")
    how = f"exit code {explanation.get('exitCode')}" + (f" ({name})" if name else "")
    if explanation.get("notStarted"):
        yield f"The command was not started ({how}): {explanation['notStarted']}"
    else:
        yield f"The command failed with {how} after {explanation.get('seconds')} s."
    if explanation.get("oomKills"):
        yield (
            f"  Memory: the kernel killed {explanation['oomKills']} of this container's processes. "
            "Raise memoryMB of the task role, or use less."
        )
    yield from (f"  Disk: {folder} is full." for folder in explanation.get("fullDisks") or ())
    yield from (f"  GPU: {fault}" for fault in explanation.get("gpuFaults") or ())
    log = explanation.get("log")
    if log:
        yield f"  Log: {log.get('line')}"
        yield f"    {log.get('meaning')} {log.get('advice')}"


def _record_lines(
    job: RemoteJob, role: str, index: int, attempt: tuple[int | None, int | None]
) -> list[str]:
    """Return what the record of a failed task says, or why it cannot be read from here.

    Empty for a job that does not use the runtime or has no workspace.

    Args:
        job: The task's job.
        role: The task's role, in any spelling.
        index: The task's index in it.
        attempt: The job's attempt and the task's own, from 0; ``None`` is not compared.
    """
    try:
        return with_deadline(lambda: list(_read_record(job, role, index, attempt)), _RECORD_SECONDS)
    except DeadlineError:
        return [f"The job's storage did not answer within {_RECORD_SECONDS:g} s."]
    except (OSError, ValueError, TypeError, AttributeError, OpenPaiError) as error:
        return [f"The record that the runtime keeps of it cannot be read here: {error}"]


def _read_record(
    job: RemoteJob, role: str, index: int, attempt: tuple[int | None, int | None]
) -> Iterator[str]:
    from openpai.core.protocol import RuntimeSection, convert_name
    from openpai.core.storage import Workspace

    document = job.config().document
    section = RuntimeSection.from_job(document)
    if section is None or not section.workspace:
        return
    workspace = Workspace.parse(section.workspace)
    names = (name for name in document["taskRoles"] if convert_name(name) == convert_name(role))
    path = workspace.job(job.name).record(next(names, role), index)
    with job.cluster.storage(workspace.storage) as storage:
        try:
            with storage.open_read(path) as stream:
                record = json.load(stream)
        except FileNotFoundError:
            yield "The runtime left no record of it: the task was killed before it could."
            return
    made_in = record["attempt"]
    if any(
        known is not None and known != made_in[key] for key, known in zip(("job", "task"), attempt)
    ):
        yield "The runtime left no record of its last start, which was killed before it could."
        return
    if record.get("explanation"):
        yield from failure_lines(record["explanation"])
    lost = record.get("notSaved") or ()
    if lost:
        yield f"Not saved: {len(lost)} of its outputs, the first being {lost[0]['path']}."
