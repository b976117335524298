"""Records → JSON of the REST API (rest-server/src/models/v2/job/k8s.js, frameworkConverter.js)."""

from __future__ import annotations

import json
import socket
from functools import lru_cache
from math import isfinite
from typing import Any, Iterable, Mapping

from openpai.core.execution.exit_codes import exit_spec
from openpai.core.execution.records import Attempt, Event, Job, Task
from openpai.core.protocol import Timestamp, convert_name
from openpai.core.states import attempt_state, job_state

__all__ = [
    "NO_TAGS",
    "detail",
    "encode",
    "event_item",
    "job_attempt",
    "node_name",
    "summary",
    "task_history",
]


def encode(value: Any) -> str:
    """Return JSON without blanks or escapes, ``1.0`` as ``1``, dates and bytes as Node has them."""
    return json.dumps(_as_javascript(value), ensure_ascii=False, separators=(",", ":"))


def _as_javascript(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Timestamp):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"type": "Buffer", "data": list(value)}
    if isinstance(value, Mapping):
        return {key: _as_javascript(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_javascript(item) for item in value]
    return value


def _number(value: float) -> float | None:
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


#: Placeholder of the tags in a stored summary.
NO_TAGS = '"tags":[]'


@lru_cache(maxsize=1)
def node_name() -> str:
    """Return the name of this machine as the cluster's only node."""
    return socket.gethostname()


def _retries(job: Job) -> dict[str, Any]:
    return {
        "retries": job.retries,
        "retryDetails": {
            "user": job.user_retries,
            "platform": job.retries - job.user_retries,
            "resource": 0,
        },
        "retryDelayTime": job.retry_delay,
    }


def _submission(job: Job) -> int:
    """Return milliseconds rounded to seconds, as the real database keeps them."""
    return job.submitted // 1000 * 1000


def summary(job: Job) -> str:
    """Return a job's item in lists as JSON text, without its tags."""
    return encode(
        {
            "debugId": job.debug_id,
            "name": job.name,
            "username": job.user,
            "state": job.state,
            "subState": job.sub_state,
            "executionType": job.execution_type,
            "tags": [],
            **_retries(job),
            "submissionTime": _submission(job),
            "createdTime": job.created,
            "launchedTime": job.launched,
            "completedTime": job.completed,
            "appExitCode": job.code,
            "virtualCluster": job.virtual_cluster,
            "totalGpuNumber": job.gpus,
            "totalTaskNumber": job.tasks,
            "totalTaskRoleNumber": job.roles,
            "jobPriority": job.priority,
        }
    )


def detail(
    job: Job, attempt: Attempt | None, tasks: Iterable[Task], tags: list[str]
) -> dict[str, Any]:
    """Return a job with one of its attempts; ``None`` before the first."""
    tasks = list(tasks)
    status: dict[str, Any] = {
        "username": job.user,
        "state": job.state,
        "subState": job.sub_state,
        "executionType": job.execution_type,
        **_retries(job),
        "createdTime": job.created,
        "launchedTime": job.launched,
        "completedTime": job.completed,
        **_attempt_part(attempt, tasks),
        "virtualCluster": job.virtual_cluster,
        "submissionTime": _submission(job),
    }
    return {
        "debugId": job.debug_id,
        "name": job.name,
        "tags": tags,
        "jobStatus": status,
        "taskRoles": _by_role(tasks, lambda task: _task_status(job, task)),
    }


def _attempt_part(attempt: Attempt | None, tasks: list[Task]) -> dict[str, Any]:
    part: dict[str, Any] = {} if attempt is None else {"attemptId": attempt.index}
    part["attemptState"] = (
        "WAITING" if attempt is None else attempt_state(attempt.sub_state, attempt.code)
    )
    if attempt is not None:
        part["appId"] = f"{attempt.index}_{attempt.uid}"
    attempt = attempt or Attempt(job=0, index=0, uid="", created=0)
    return {
        **part,
        "appProgress": int(attempt.code is not None),
        "appTrackingUrl": "",
        "appCreatedTime": attempt.created or None,
        "appLaunchedTime": attempt.launched,
        "appCompletedTime": attempt.completed,
        "appExitCode": attempt.code,
        "appExitSpec": _spec(attempt.code),
        "appExitDiagnostics": attempt.diagnostics,
        "appExitMessages": _messages(attempt, tasks),
        "appExitTriggerMessage": attempt.trigger_message,
        "appExitTriggerTaskRoleName": _folded(attempt.trigger_role),
        "appExitTriggerTaskIndex": attempt.trigger_index,
        "appExitType": attempt.type,
    }


def _spec(code: int | None) -> dict[str, Any] | None:
    return None if code is None else exit_spec(code)


def _folded(role: str | None) -> str | None:
    return None if role is None else convert_name(role)


def _messages(attempt: Attempt, tasks: list[Task]) -> dict[str, Any] | None:
    if attempt.diagnostics is None:
        return None
    key = (attempt.trigger_role, attempt.trigger_index)
    found = [task.message for task in tasks if (task.role, task.index) == key and task.message]
    if found:
        return {"container": None, "runtime": {**found[0], "name": "app"}, "launcher": None}
    return {"container": None, "runtime": None, "launcher": attempt.diagnostics}


def _by_role(tasks: Iterable[Task], show: Any) -> dict[str, Any]:
    roles: dict[str, Any] = {}
    for task in tasks:
        name = convert_name(task.role)
        role = roles.setdefault(name, {"taskRoleStatus": {"name": name}, "taskStatuses": []})
        role["taskStatuses"].append(show(task))
    return roles


def _log_path(job: Job, task: Task) -> str:
    return (
        f"/api/v2/jobs/{job.framework}/attempts/{task.attempt}/taskRoles/{convert_name(task.role)}"
        f"/taskIndex/{task.index}/attempts/{task.retry}/logs"
    )


def _container(job: Job, task: Task) -> dict[str, Any]:
    return {
        "containerId": task.uid,
        "containerIp": task.node_ip,
        "containerNodeName": None if task.node_ip is None else node_name(),
        "containerPorts": {
            label: ",".join(map(str, numbers)) for label, numbers in task.ports.items()
        },
        "containerGpus": None,
        "containerLog": _log_path(job, task),
        "containerExitCode": task.code,
        "containerExitSpec": _spec(task.code),
        "containerExitDiagnostics": task.diagnostics,
    }


def _attempt_times(task: Task) -> dict[str, Any]:
    return {
        "attemptId": task.retry,
        "attemptState": attempt_state(task.sub_state, task.code),
        "currentAttemptCreatedTime": task.created,
        "currentAttemptLaunchedTime": task.launched,
        "currentAttemptCompletedTime": task.completed,
    }


def _task_part(task: Task) -> dict[str, Any]:
    return {
        "retries": task.retry,
        "accountableRetries": task.counted,
        "createdTime": task.born,
        "launchedTime": task.first_launched,
        "completedTime": task.completed if task.over else None,
    }


def _task_status(job: Job, task: Task) -> dict[str, Any]:
    return {
        "taskIndex": task.index,
        "taskUid": task.task_uid,
        "taskState": job_state(task.sub_state, task.code),
        **_container(job, task),
        **_task_part(task),
        **_attempt_times(task),
    }


def task_history(job: Job, attempts: list[Task]) -> dict[str, Any]:
    """Return a task with all its attempts, newest first."""
    newest = attempts[0]
    return {
        "username": job.user,
        "jobName": job.name,
        "jobAttemptId": newest.attempt,
        "taskRoleName": convert_name(newest.role),
        "taskIndex": newest.index,
        "taskUid": newest.task_uid,
        "taskState": job_state(newest.sub_state, newest.code),
        **_task_part(newest),
        "attempts": [{**_attempt_times(task), **_container(job, task)} for task in attempts],
    }


def job_attempt(job: Job, attempt: Attempt, tasks: list[Task], is_latest: bool) -> dict[str, Any]:
    """Return an attempt in the format of the history API (src/models/v2/job-attempt.js)."""
    spec = _spec(attempt.code)
    messages = _messages(attempt, tasks)
    latest = attempt.index == job.attempt
    return {
        "jobName": job.name,
        "frameworkName": job.debug_id,
        "uid": attempt.uid,
        "userName": job.user,
        "state": job.state if latest else job_state("AttemptCompleted", attempt.code),
        "originState": job.sub_state if latest else "AttemptCompleted",
        "attemptIndex": attempt.index,
        "jobStartedTime": job.created,
        "attemptStartedTime": attempt.created,
        "attemptCompletedTime": attempt.completed,
        "exitCode": attempt.code,
        "exitPhrase": spec["phrase"] if spec else None,
        "exitType": attempt.type,
        "exitDiagnostics": {
            "diagnosticsSummary": attempt.diagnostics,
            "runtime": messages["runtime"] if messages else None,
            "launcher": messages["launcher"] if messages else None,
        },
        "appExitTriggerMessage": attempt.trigger_message,
        "appExitTriggerTaskRoleName": _folded(attempt.trigger_role),
        "appExitTriggerTaskIndex": attempt.trigger_index,
        "appExitSpec": spec,
        "appExitDiagnostics": attempt.diagnostics,
        "appExitMessages": messages,
        "totalGpuNumber": job.gpus,
        "totalTaskNumber": job.tasks,
        "totalTaskRoleNumber": job.roles,
        "taskRoles": _by_role(tasks, lambda task: _short_status(job, task)),
        "isLatest": is_latest,
    }


def _short_status(job: Job, task: Task) -> dict[str, Any]:
    return {
        "taskIndex": task.index,
        "taskState": job_state(task.sub_state, task.code),
        "containerId": task.uid,
        "containerIp": task.node_ip,
        "containerGpus": sum(1 << number for number in task.gpus) or None,
        "containerLog": _log_path(job, task),
        "containerExitCode": task.code,
    }


def event_item(job: Job, event: Event) -> dict[str, Any]:
    """Return an event, whose times are ISO 8601."""
    from datetime import datetime, timezone

    at = datetime.fromtimestamp(event.at // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    role = _folded(event.role)
    return {
        "uid": event.uid,
        "frameworkName": job.debug_id,
        "podUid": event.pod,
        "taskroleName": role,
        "taskName": None if role is None else f"{job.debug_id}-{role}-{event.index}",
        "taskIndex": event.index,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
        "sourceComponent": "openpai-local",
        "sourceHost": None if event.pod is None else node_name(),
    }
