"""Place waiting tasks on this machine and start them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Callable, Iterable, Mapping, Tuple

from openpai.core.local.executor.task_spec import IP, choose_gpus, choose_uid, plan
from openpai.core.local.scheduler.scheduler import (
    PRIORITIES,
    Claim,
    job_needs,
    role_needs,
    schedule,
)
from openpai.core.local.state.machine import Resources

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.execution import Task
    from openpai.core.local.executor.launcher import Launcher
    from openpai.core.local.scheduler.active_jobs import ActiveJobs
    from openpai.core.local.scheduler.lifecycle import ActiveJob

__all__ = ["Placement"]

log = logging.getLogger(__name__)

#: A job's id, and the (role, index) of those of its tasks that start together.
ClaimKey = Tuple[int, Tuple[Tuple[str, int], ...]]


class Placement:
    """Assigns the machine's resources to tasks.

    Args:
        active_jobs: The jobs that have not ended.
        launcher: Starts tasks.
        total: What the machine has.
        quotas: Maximum resources of virtual clusters that are limited.
        storages: Returns the folders of a user's storages by name.
        work: The working folder of all tasks; ``None`` for one folder per task.

    Attributes:
        uri: The cluster's address, for tasks.
    """

    def __init__(
        self,
        active_jobs: ActiveJobs,
        launcher: Launcher,
        *,
        total: Resources,
        quotas: Mapping[str, Resources],
        storages: Callable[[str], Mapping[str, Path]],
        work: str | None = None,
    ) -> None:
        self.total = total
        self.quotas = dict(quotas)
        self.uri = ""
        self._active = active_jobs
        self._launcher = launcher
        self._storages = storages
        self._work = work

    def place(self, now: int) -> list[tuple[ActiveJob, Task]]:
        """Place all tasks that fit; return those to start."""
        claims = [claim for live in self._active.jobs.values() for claim in _claims(live, now)]
        if not claims:
            return []
        free = self.total - self._active.used()
        left = {name: quota - self._active.used(name) for name, quota in self.quotas.items()}
        decision = schedule(claims, free, left)
        placed = []
        for job_id, keys in decision.start:
            live = self._active.jobs[job_id]
            placed += [(live, task) for task in self._place_tasks(live, keys)]
        for (job_id, _), reason in decision.waiting.items():
            self._note_waiting(self._active.jobs[job_id], reason)
        return placed

    def _place_tasks(self, live: ActiveJob, keys: Iterable[tuple[str, int]]) -> list[Task]:
        tasks = [live.tasks[key] for key in keys]
        others = [task for _, task in self._active.placed()]
        ports = {port for task in others for group in task.ports.values() for port in group}
        gpus = [gpu for task in others for gpu in task.gpus]
        for task in tasks:
            task.uid, task.ports = choose_uid(live.document, task.role, task.uid, ports)
            need = role_needs(live.document["taskRoles"][task.role]).gpu
            task.gpus = choose_gpus(need, self.total.gpu, gpus)
            task.node_ip = IP
            ports |= {port for group in task.ports.values() for port in group}
            gpus += task.gpus
            text = "The task was placed on this machine."
            self._active.add_event(live, "Normal", "Scheduled", text, task)
        self._active.save(live, *tasks)
        return tasks

    def _note_waiting(self, live: ActiveJob, reason: str) -> None:
        if reason != live.reason:
            live.reason = reason
            self._active.add_event(live, "Warning", "FailedScheduling", reason)

    def start(self, live: ActiveJob, task: Task) -> None:
        """Start a placed task; on failure record the reason and retry in the next pass."""
        folder = self._launcher.folder(live.job.debug_id, task.uid)
        try:
            spec = plan(
                live.job,
                live.document,
                task,
                live.tasks.values(),
                gpus_managed=self.total.gpu > 0,
                folder=folder,
                uri=self.uri,
                storages=self._storages(live.job.user),
                work=self._work,
            )
            self._launcher.prepare(spec, self._active.config(live))
            self._launcher.start(folder, task.uid)
        except OSError as error:  # a full disk, no more processes
            log.warning("task %s could not be started: %s", task.uid, error)
            self._active.add_event(
                live, "Warning", "FailedStart", f"Not started yet: {error}.", task
            )


def _claims(live: ActiveJob, now: int) -> list[Claim[ClaimKey]]:
    """Return the claims of a job: all its waiting tasks together, or each by itself."""
    waiting = [
        task
        for task in live.tasks.values()
        if task.node_ip is None and not task.over and (task.retry_at or 0) <= now
    ]
    if live.is_decided or not waiting:
        return []
    job = live.job
    priority = PRIORITIES.get(job.priority or "", PRIORITIES["test"])
    if live.gang:
        groups = [(job_needs(live.document), tuple((t.role, t.index) for t in waiting))]
    else:
        document_roles = live.document["taskRoles"]
        groups = [(role_needs(document_roles[t.role]), ((t.role, t.index),)) for t in waiting]
    return [
        Claim((job.id, keys), needs, job.virtual_cluster, priority, job.id)
        for needs, keys in groups
    ]
