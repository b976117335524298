"""The jobs that have not ended, in memory and on disk."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Mapping

from openpai.core.execution import Attempt, Event, Job, Task, summary
from openpai.core.local.scheduler.lifecycle import ActiveJob
from openpai.core.local.scheduler.scheduler import role_needs
from openpai.core.local.state.machine import Resources
from openpai.core.protocol import dump_yaml, load_yaml, mask_secrets

if TYPE_CHECKING:
    from openpai.core.local.state.clock import Clock
    from openpai.core.local.state.store import Store

__all__ = ["ActiveJobs"]


class ActiveJobs:
    """Active jobs by id; changes need :attr:`lock`.

    Args:
        store: The records.
        clock: The cluster's time.
        warning: An event that every new job gets; empty for none.

    Attributes:
        lock: Held for every change.
        jobs: The jobs.
    """

    def __init__(self, store: Store, clock: Clock, warning: str = "") -> None:
        self.lock = threading.RLock()
        self.jobs: dict[int, ActiveJob] = {}
        self.store = store
        self._clock = clock
        self._warning = warning

    def load(self) -> None:
        """Load all jobs that have not ended, replacing those in memory."""
        with self.lock:
            jobs = self.store.find(Job, "sub_state != 'Completed' ORDER BY id")
            self.jobs = {job.id: self._load_one(job) for job in jobs}

    def _load_one(self, job: Job) -> ActiveJob:
        row = self.store.query("SELECT document FROM configs WHERE job = ?", (job.id,))[0]
        live = ActiveJob(job, load_yaml(row["document"]))
        if job.attempt >= 0:
            key = (job.id, job.attempt)
            live.attempt = self.store.one(Attempt, 'job = ? AND "index" = ?', key)
            for task in self.store.find(Task, "job = ? AND attempt = ? ORDER BY rowid", key):
                live.tasks[task.role, task.index] = task
        return live

    def add(self, job: Job, text: str, document: Mapping[str, Any]) -> None:
        """Store a new job.

        Raises:
            sqlite3.IntegrityError: Its name is taken.
        """
        live = ActiveJob(job, document)
        with self.lock:
            with self.store.transaction():
                job.id = self.store.query("SELECT coalesce(max(id), 0) + 1 FROM jobs")[0][0]
                self.save(live)
                self.store.execute(
                    "INSERT INTO configs(job, text, document) VALUES(?, ?, ?)",
                    (job.id, mask_secrets(text), dump_yaml(document)),
                )
                if self._warning:
                    self.add_event(live, "Normal", "ImageNotRun", self._warning)
            self.jobs[job.id] = live

    def remove(self, live: ActiveJob) -> None:
        """Remove a job that has ended, and its secrets."""
        self.store.execute("UPDATE configs SET document = NULL WHERE job = ?", (live.job.id,))
        del self.jobs[live.job.id]

    def set_execution_type(self, job_id: int, value: str) -> None:
        """Store the requested execution type of a job, active or ended.

        Raises:
            sqlite3.OperationalError: It cannot be stored; the request has no effect.
        """
        with self.lock:
            live = self.jobs.get(job_id)
            job = live.job if live else self.store.find(Job, "id = ?", (job_id,))[0]
            wanted = replace(job, execution_type=value)
            wanted.summary = summary(wanted)
            self.store.save(wanted)
            job.execution_type, job.summary = value, wanted.summary

    def config(self, live: ActiveJob) -> str:
        """Return the YAML of a job, secrets masked."""
        rows = self.store.query("SELECT text FROM configs WHERE job = ?", (live.job.id,))
        return str(rows[0]["text"])

    def tasks(self) -> list[tuple[ActiveJob, Task]]:
        """Return the newest attempt of every task of every active job."""
        with self.lock:
            return [(live, task) for live in self.jobs.values() for task in live.tasks.values()]

    def placed(self) -> list[tuple[ActiveJob, Task]]:
        """Return the placed tasks that have not ended."""
        return [pair for pair in self.tasks() if pair[1].node_ip is not None and not pair[1].over]

    def used(self, virtual_cluster: str | None = None) -> Resources:
        """Return the resources of placed tasks, all or those of one virtual cluster."""
        total = Resources()
        for live, task in self.placed():
            if virtual_cluster in (None, live.job.virtual_cluster):
                total = total + role_needs(live.document["taskRoles"][task.role])
        return total

    def save(self, live: ActiveJob, *tasks: Task) -> None:
        """Store a job, its newest attempt, and the newest attempts of some of its tasks."""
        older, live.older = live.older, []
        newest = [live.tasks[task.role, task.index] for task in tasks]
        live.job.summary = summary(live.job)
        self.store.save(live.job, *older, *newest)
        if live.attempt is not None:
            self.store.save(live.attempt)

    def add_event(
        self, live: ActiveJob, kind: str, reason: str, message: str, task: Task | None = None
    ) -> None:
        """Store an event; ``kind`` is ``Normal`` or ``Warning``, ``reason`` one word."""
        event = Event(str(uuid.uuid4()), live.job.id, kind, reason, message, self._clock.now())
        if task is not None:
            event.pod, event.role, event.index = task.uid, task.role, task.index
        self.store.save(event)
