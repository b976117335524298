"""Jobs, tasks and events as the server describes them (rest-server/src/models/v2/job/k8s.js)."""

from __future__ import annotations

from typing import Iterator

from openpai.core.rest.fields import (
    Record,
    integer,
    iso_moment,
    items,
    mapping,
    moment,
    optional_integer,
    text,
)
from openpai.core.states import TERMINAL_STATES

__all__ = [
    "Event",
    "JobDetail",
    "JobSummary",
    "TaskAttemptStatus",
    "TaskFacts",
    "TaskStatus",
]


class JobSummary(Record):
    """One item of the job list.

    Attributes:
        state: WAITING, RUNNING, STOPPING, STOPPED, SUCCEEDED, FAILED or UNKNOWN.
        sub_state: The controller's own state.
        execution_type: What was asked for last, START or STOP; it changes at once.
        retry_delay_time: Seconds that the next start is put off; ``None`` if it is not.
        app_exit_code: The platform's exit code of the job; ``None`` before its end.
    """

    __slots__ = ()
    debug_id = text("debugId")
    name = text("name")
    username = text("username")
    state = text("state")
    sub_state = text("subState")
    execution_type = text("executionType")
    tags = items("tags")
    retries = integer("retries")
    retry_details = mapping("retryDetails")
    retry_delay_time = optional_integer("retryDelayTime")
    submission_time = moment("submissionTime")
    created_time = moment("createdTime")
    launched_time = moment("launchedTime")
    completed_time = moment("completedTime")
    app_exit_code = optional_integer("appExitCode")
    virtual_cluster = text("virtualCluster")
    total_gpu_number = integer("totalGpuNumber")
    total_task_number = integer("totalTaskNumber")
    total_task_role_number = integer("totalTaskRoleNumber")
    job_priority = text("jobPriority")


class TaskAttemptStatus(Record):
    """One run of a task.

    Attributes:
        attempt_id: From 0 in each attempt of the job.
        container_id: The pod's UID.
        container_ip: The address of the task's host; ``""`` before it has one.
        container_ports: Label → port numbers joined by commas.
        container_exit_code: The platform's code (128-255 are mapped); ``None`` before its end.
        hived: Affinity group and preemption, on HiveD clusters.
    """

    __slots__ = ()
    attempt_id = optional_integer("attemptId")
    attempt_state = text("attemptState")
    attempt_created_time = moment("currentAttemptCreatedTime")
    attempt_launched_time = moment("currentAttemptLaunchedTime")
    attempt_completed_time = moment("currentAttemptCompletedTime")
    container_id = text("containerId")
    container_ip = text("containerIp")
    container_node_name = text("containerNodeName")
    container_ports = mapping("containerPorts")
    container_log = text("containerLog")
    container_exit_code = optional_integer("containerExitCode")
    container_exit_spec = mapping("containerExitSpec")
    container_exit_diagnostics = text("containerExitDiagnostics")
    hived = mapping("hived")

    def ports(self, label: str) -> list[int]:
        """Return the port numbers of a label; empty before the task has a host."""
        # Very old jobs have numbers instead of texts.
        return [int(port) for port in str(self.container_ports.get(label) or "").split(",") if port]


class TaskFacts(Record):
    """A task of one attempt of a job, whatever its runs.

    Attributes:
        state: As for a job.
        retries: How often the task was restarted.
        accountable_retries: How many of these counted towards ``taskRetryCount``.
    """

    __slots__ = ()
    index = integer("taskIndex")
    uid = text("taskUid")
    state = text("taskState")
    retries = integer("retries")
    accountable_retries = integer("accountableRetries")
    created_time = moment("createdTime")
    launched_time = moment("launchedTime")
    completed_time = moment("completedTime")


class TaskStatus(TaskFacts, TaskAttemptStatus):
    """One task of a job's attempt, with its latest run."""

    __slots__ = ()


class JobDetail(Record):
    """A job, its latest attempt (or the one that was asked for) and that attempt's tasks.

    Attributes:
        attempt_id: ``None`` before the first start.
        retry_delay_time: Seconds that the next start is put off; ``None`` if it is not.
        app_created_time: Of the attempt, as the next two.
        app_exit_code: The platform's exit code of the attempt.
        app_exit_spec: Phrase, type, reason and advice for that code.
        app_exit_messages: ``{container, runtime, launcher}``; ``runtime`` has the user's own code.
    """

    __slots__ = ()
    debug_id = text("debugId")
    name = text("name")
    tags = items("tags")
    username = text("jobStatus.username")
    state = text("jobStatus.state")
    sub_state = text("jobStatus.subState")
    execution_type = text("jobStatus.executionType")
    retries = integer("jobStatus.retries")
    retry_details = mapping("jobStatus.retryDetails")
    retry_delay_time = optional_integer("jobStatus.retryDelayTime")
    virtual_cluster = text("jobStatus.virtualCluster")
    submission_time = moment("jobStatus.submissionTime")
    created_time = moment("jobStatus.createdTime")
    launched_time = moment("jobStatus.launchedTime")
    completed_time = moment("jobStatus.completedTime")
    attempt_id = optional_integer("jobStatus.attemptId")
    attempt_state = text("jobStatus.attemptState")
    app_id = text("jobStatus.appId")
    app_created_time = moment("jobStatus.appCreatedTime")
    app_launched_time = moment("jobStatus.appLaunchedTime")
    app_completed_time = moment("jobStatus.appCompletedTime")
    app_exit_code = optional_integer("jobStatus.appExitCode")
    app_exit_spec = mapping("jobStatus.appExitSpec")
    app_exit_type = text("jobStatus.appExitType")
    app_exit_diagnostics = text("jobStatus.appExitDiagnostics")
    app_exit_messages = mapping("jobStatus.appExitMessages")
    app_exit_trigger_message = text("jobStatus.appExitTriggerMessage")
    app_exit_trigger_task_role = text("jobStatus.appExitTriggerTaskRoleName")
    app_exit_trigger_task_index = optional_integer("jobStatus.appExitTriggerTaskIndex")
    task_roles = mapping("taskRoles")

    @property
    def key(self) -> str:
        """``<user>~<name>``."""
        return f"{self.username}~{self.name}"

    @property
    def ended(self) -> bool:
        """Whether the job has ended; it is not retried any more."""
        return self.state in TERMINAL_STATES

    @property
    def exit_code(self) -> int | None:
        """The user's own exit code where the platform kept it, else the platform's.

        ``None`` until the job has ended. PAI replaces a command's code by one of its table and
        keeps the original as ``originUserExitCode`` (openpai-runtime, go/pkg/aggregator).
        """
        if not self.ended:
            return None
        runtime = self.app_exit_messages.get("runtime")
        own = runtime.get("originUserExitCode") if isinstance(runtime, dict) else None
        try:
            return self.app_exit_code if own is None else int(own)
        except (TypeError, ValueError):
            return self.app_exit_code

    @property
    def advice(self) -> tuple[str, ...]:
        """The platform's advice for the exit code, without waiting for a retry that cannot come."""
        spoken = self.app_exit_spec.get("solution") or ()
        return tuple(text for text in spoken if not (self.ended and "next retry" in text))

    def tasks(self) -> Iterator[tuple[str, TaskStatus]]:
        """Yield (role as the server spells it, task) for every task known so far."""
        for role, status in self.task_roles.items():
            for raw in status.get("taskStatuses") or ():
                yield role, TaskStatus(raw)


class Event(Record):
    """Something that happened to a job, as Kubernetes recorded it.

    Attributes:
        type: ``Normal`` or ``Warning``.
        first_timestamp: ISO 8601 text, unlike all other times of the API.
        last_timestamp: As ``first_timestamp``.
        first_time: ``first_timestamp`` read.
        last_time: ``last_timestamp`` read.
    """

    __slots__ = ()
    uid = text("uid")
    type = text("type")
    reason = text("reason")
    message = text("message")
    task_role = text("taskroleName")
    task_index = optional_integer("taskIndex")
    first_timestamp = text("firstTimestamp")
    last_timestamp = text("lastTimestamp")
    first_time = iso_moment("firstTimestamp")
    last_time = iso_moment("lastTimestamp")
    count = integer("count")
    source_component = text("sourceComponent")
    source_host = text("sourceHost")
