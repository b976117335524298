"""``opai job status``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.framework import CliApp, command, pass_app
from openpai.cli.ui import escape_control
from openpai.core.cli import cluster_option, format_option, job_argument

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob
    from openpai.core.rest import JobDetail, TaskStatus

JOB_COLUMNS = [
    ("Job", "job"),
    ("State", "state"),
    ("Submitted", "submissionTime"),
    ("Started", "launchedTime"),
    ("Ended", "completedTime"),
    ("Duration", "duration"),
    ("VC", "virtualCluster"),
    ("Tags", "tags"),
    ("Retries", "retries"),
    ("Exit code", "exitCode"),
    ("Reason", "reason"),
]
TASK_COLUMNS = [
    ("TASK", "task"),
    ("STATE", "state"),
    ("EXIT CODE", "exitCode"),
    ("RETRIES", "retries"),
    ("STARTED", "launchedTime"),
    ("DURATION", "duration"),
    ("HOST", "containerIp"),
    ("PORTS", "ports"),
]
_LINES_TOLD = 8
_EVENTS_TOLD = 3
SSH_COLUMNS = [("TASK", "task"), ("HOST", "containerIp"), ("SSH PORT", "sshPort")]


@command(
    "status",
    examples="""
    opai job status train
    opai job status train -o json
    opai job status train ssh        # where to reach its tasks
    """,
)
@job_argument
@click.argument("what", type=click.Choice(("config", "ssh")), required=False)
@click.option("--user", metavar="NAME", help="Owner of the job.  [default: you]")
@cluster_option
@format_option
@click.pass_context
@pass_app
def status(
    app: CliApp,
    context: click.Context,
    /,
    *,
    job: str,
    what: str | None,
    user: str | None,
    alias: str | None,
    format_: str,
) -> None:
    name = f"{user}~{job}" if user and "~" not in job else job
    if what == "config":
        from openpai.cli.commands.job.config import config

        context.invoke(config, job=name, alias=alias, format_="yaml")
        return
    remote = app.cluster(alias).job(name)
    detail = remote.status()
    tasks = [task_row(role, task) for role, task in detail.tasks()]
    if what == "ssh":
        app.emit(tasks, columns=SSH_COLUMNS, format=format_)
    elif format_ == "table":
        _show(app, detail, tasks)
        for line in _explanation(remote, detail):
            app.note(line)
    else:
        app.emit({**_job_row(detail), "tasks": tasks}, columns=JOB_COLUMNS, format=format_)


def _show(app: CliApp, detail: JobDetail, tasks: list[dict[str, Any]]) -> None:
    """Write the job and its tasks for people."""
    row = _job_row(detail)
    columns = [(header, key) for header, key in JOB_COLUMNS if row[key] not in (None, "", (), 0)]
    app.emit(row, columns=columns, format="table")
    if tasks:
        app.console.print("")
        used = [(header, key) for header, key in TASK_COLUMNS if any(task[key] for task in tasks)]
        app.emit(tasks, columns=used, format="table")


def _job_row(detail: JobDetail) -> dict[str, Any]:
    from openpai.cli.commands.job._job import job_row

    return {
        **job_row(detail),
        "exitCode": detail.exit_code,
        "attempt": detail.attempt_id,
        "reason": _reason(detail),
        "errorLog": _error_log(detail),
        "diagnostics": detail.app_exit_diagnostics or None,
    }


def _reason(detail: JobDetail) -> str | None:
    """Return in a phrase why the job ended as it did; ``None`` where there is nothing to say."""
    if not detail.ended or detail.state == "SUCCEEDED":
        return None
    phrase = str(detail.app_exit_spec.get("phrase") or detail.app_exit_type)
    role, index = detail.app_exit_trigger_task_role, detail.app_exit_trigger_task_index
    return f"{phrase}, of task {role}-{index}" if role and index is not None else phrase or None


def _error_log(detail: JobDetail) -> str | None:
    """Return the last that the failed task wrote, where PAI's runtime kept it."""
    runtime = detail.app_exit_messages.get("runtime")
    kept = runtime.get("errorLogs") if isinstance(runtime, dict) else None
    text = kept.get("user") if isinstance(kept, dict) else None
    return str(text).strip() if text else None


def task_row(role: str, task: TaskStatus) -> dict[str, Any]:
    """Return what machines read of a task; the keys are documented in docs/cli.md."""
    from openpai.cli.framework import running_time

    ports = {label: str(numbers) for label, numbers in task.container_ports.items()}
    return {
        "task": f"{role}-{task.index}",
        "taskRole": role,
        "index": task.index,
        "state": task.state,
        "exitCode": task.container_exit_code,
        "retries": task.retries,
        "launchedTime": task.launched_time,
        "completedTime": task.completed_time,
        "duration": running_time(task.launched_time, task.completed_time),
        "containerIp": task.container_ip or None,
        "sshPort": ports.get("ssh", "").partition(",")[0] or None,
        "ports": [f"{label}={numbers}" for label, numbers in ports.items()],
    }


def _explanation(remote: RemoteJob, detail: JobDetail) -> Iterator[str]:
    """Yield what a person would ask next: why it waits, why it failed, what now."""
    if detail.state == "WAITING":
        for event in remote.events("Warning")[:_EVENTS_TOLD]:
            yield f"  {event.last_timestamp} {event.reason}: {escape_control(event.message)}"
        yield f"hint: It waits for resources. See: {_command(remote, 'cluster resources')}"
    elif detail.state == "FAILED":
        from openpai.core.client import failure_record

        yield from (f"  {escape_control(line)}" for line in failure_record(remote, detail))
        said = _error_log(detail) or detail.app_exit_diagnostics
        for line in said.splitlines()[-_LINES_TOLD:]:
            yield f"  {escape_control(line)}"
        if detail.app_exit_spec.get("reason"):  # only what PAI recognized has advice to go by
            for advice in detail.advice:
                yield f"hint: {escape_control(str(advice))}"
        yield f"hint: Full log: {_command(remote, 'job logs')} {detail.key}"


def _command(remote: RemoteJob, words: str) -> str:
    alias = remote.cluster.alias
    return f"opai {words} -a {alias}" if alias else f"opai {words}"
