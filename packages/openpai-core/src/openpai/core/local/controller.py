"""The thread that moves jobs on: places them, starts their tasks, notes their ends, retries.

Each turn first changes records in one transaction, and only then touches processes; whatever is
lost between the two is made up for by the next server, since a task is started at most once.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Tuple, Union

from openpai.core.local import lifecycle
from openpai.core.local.demands import PRIORITIES, job_needs, role_needs
from openpai.core.local.launcher import Exit, Lost, Running
from openpai.core.local.lifecycle import Live
from openpai.core.local.placing import IP, choose_gpus, choose_uid, plan
from openpai.core.local.records import Attempt, Event, Job, Task
from openpai.core.local.reports import Report, exit_report, lost_report
from openpai.core.local.scheduler import Claim, Resources, schedule
from openpai.core.local.views import summary
from openpai.core.protocol.secrets import mask_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.local.bell import Bell
    from openpai.core.local.clock import Clock
    from openpai.core.local.launcher import Launcher
    from openpai.core.local.store import Store

__all__ = ["Controller"]

log = logging.getLogger(__name__)

#: A job's id, and the (role, index) of those of its tasks that start together.
ClaimKey = Tuple[int, Tuple[Tuple[str, int], ...]]

News = Union[Running, Exit, Lost, None]

_NO_IMAGES = (
    "Docker images are not used on a local cluster: the commands run directly on this machine."
)

#: Seconds between two looks at all running tasks, should a supervisor's word have been lost.
SWEEP = 2.0


class Controller:
    """All jobs that are not over.

    Args:
        store: Where records are kept.
        launcher: How tasks are started.
        bell: How this thread is woken.
        clock: The cluster's time.
        total: What the machine has.
        quotas: What virtual clusters may use at most, where that is limited.
        storages: Returns the folders of a user's storages by name.
    """

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        bell: Bell,
        clock: Clock,
        *,
        total: Resources,
        quotas: Mapping[str, Resources],
        storages: Callable[[str], Mapping[str, Path]],
    ) -> None:
        self.total = total
        self.quotas = dict(quotas)
        self.uri = ""
        self._store = store
        self._launcher = launcher
        self._bell = bell
        self._clock = clock
        self._storages = storages
        self._lock = threading.RLock()
        self._live: dict[int, Live] = {}
        self._after: list[Callable[[], None]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)

    # What request handlers ask for.

    def submit(self, job: Job, text: str, document: Mapping[str, Any]) -> None:
        """Take a job in; when this returns, the job is kept whatever happens.

        Raises:
            sqlite3.IntegrityError: Its name is taken.
        """
        with self._lock:
            with self._store.transaction():
                job.id = self._store.query("SELECT coalesce(max(id), 0) + 1 FROM jobs")[0][0]
                job.summary = summary(job)
                self._store.save(job)
                self._store.execute(
                    "INSERT INTO configs(job, text, document) VALUES(?, ?, ?)",
                    (job.id, mask_secrets(text), json.dumps(document)),
                )
                live = Live(job, document)
                self._tell(live, "Normal", "ImageNotRun", _NO_IMAGES)
            self._live[job.id] = live
        self._bell.ring()

    def set_execution_type(self, job_id: int, value: str) -> None:
        """Note that a job is to be stopped (or, without effect in PAI, started)."""
        with self._lock:
            live = self._live.get(job_id)
            with self._store.transaction():
                if live is not None:
                    live.job.execution_type = value
                self._store.query(
                    "UPDATE jobs SET execution_type = ? WHERE id = ?", (value, job_id)
                )
        self._bell.ring()

    def stop_all(self) -> None:
        """Ask every job to stop."""
        with self._lock:
            for job_id in list(self._live):
                self.set_execution_type(job_id, "STOP")

    @property
    def is_busy(self) -> bool:
        """Whether any job is not over."""
        return bool(self._live)

    def used(self, virtual_cluster: str | None = None) -> Resources:
        """Return what placed tasks hold, all or those of one virtual cluster."""
        with self._lock:
            return self._held(virtual_cluster)

    # The thread.

    def start(self) -> None:
        """Take up the jobs that an earlier server left, and begin."""
        self._load()
        self._thread.start()

    def stop(self) -> None:
        """End the thread; tasks go on."""
        self._stopping = True
        self._bell.ring()
        self._thread.join()

    def _run(self) -> None:
        rung: set[str] | None = None
        while not self._stopping:
            try:
                self._turn(rung)
            except Exception:
                log.exception("a turn of the controller failed; its records are read anew")
                time.sleep(0.5)
                self._reload()
            begun = time.monotonic()
            pause = self._pause()
            rung = self._bell.wait(pause)
            if pause is not None and time.monotonic() - begun >= SWEEP:
                rung = None

    def _pause(self) -> float | None:
        """Return how long nothing can happen without the bell."""
        with self._lock:
            due = [live.job.retry_at for live in self._live.values()]
            due += [task.retry_at for _, task in self._tasks() if task.node_ip is None]
            running = any(task.node_ip and not task.over for _, task in self._tasks())
        now = self._clock.now()
        pauses = [max(0.0, (at - now) / 1000) for at in due if at is not None]
        return min([*pauses, SWEEP]) if pauses or running else None

    def _reload(self) -> None:
        try:
            self._load()
        except Exception:
            log.exception("the records could not be read")

    def _load(self) -> None:
        with self._lock:
            self._live = {}
            for job in self._store.find(Job, "sub_state != 'Completed' ORDER BY id"):
                self._live[job.id] = self._load_one(job)

    def _load_one(self, job: Job) -> Live:
        row = self._store.query("SELECT document FROM configs WHERE job = ?", (job.id,))[0]
        live = Live(job, json.loads(row["document"]))
        if job.attempt >= 0:
            key = (job.id, job.attempt)
            live.attempt = self._store.one(Attempt, 'job = ? AND "index" = ?', key)
            for task in self._store.find(Task, "job = ? AND attempt = ? ORDER BY retry", key):
                live.tasks[task.role, task.index] = task
        return live

    def _turn(self, rung: set[str] | None) -> None:
        """Do all that can be done now; ``rung`` names the tasks with news, ``None`` means all."""
        heard = self._listen(rung)
        with self._lock:
            with self._store.transaction():
                for live, task, news, report in heard:
                    self._hear(live, task, news, report)
                for live in list(self._live.values()):
                    self._advance(live)
                self._place()
            after, self._after = self._after, []
        for action in after:
            action()

    def _tasks(self) -> list[tuple[Live, Task]]:
        with self._lock:
            return [(live, task) for live in self._live.values() for task in live.tasks.values()]

    def _folder(self, live: Live, task: Task) -> Path:
        return self._launcher.folder(live.job.debug_id, task.uid)

    # News of running tasks.

    def _listen(self, rung: set[str] | None) -> list[tuple[Live, Task, News, Report | None]]:
        """Look at tasks; their logs are read here, while nobody waits for a lock."""
        heard = []
        for live, task in self._tasks():
            if task.node_ip is None or task.over or (rung is not None and task.uid not in rung):
                continue
            folder = self._folder(live, task)
            news = self._launcher.look(folder, task.uid)
            report = None
            if isinstance(news, Exit):
                report = exit_report(news, folder, decided=live.is_decided)
            elif isinstance(news, Lost):
                self._launcher.clean(task.uid)
                report = lost_report(news, decided=live.is_decided)
            heard.append((live, task, news, report))
        return heard

    def _hear(self, live: Live, task: Task, news: News, report: Report | None) -> None:
        if news is None:
            self._start_later(live, task)
        started = news.started if isinstance(news, Exit) else getattr(news, "at", None)
        if task.launched is None and started is not None:
            lifecycle.task_launched(live, task, started)
            self._save(live, task)
        if isinstance(news, Running) and live.is_decided:
            self._dismiss(live, task)  # the first word came before there was anybody to hear it
        if report is None:
            return
        if isinstance(news, Lost):
            self._tell(live, "Warning", report.reason, report.diagnostics, task)
        elif isinstance(news, Exit) and news.log_error:
            self._tell(live, "Warning", "LogDropped", f"Output was lost: {news.log_error}.", task)
        self._end(live, task, report)

    def _end(self, live: Live, task: Task, report: Report) -> None:
        lifecycle.end_task(live, task, report, self._clock.now())
        self._save(live, task)

    # The course of a job.

    def _advance(self, live: Live) -> None:
        now = self._clock.now()
        job = live.job
        due = live.attempt is None or job.sub_state == "AttemptCompleted"
        if due and (job.execution_type == "STOP" or (job.retry_at or 0) <= now):
            lifecycle.begin_attempt(live, now)
            self._save(live, *live.tasks.values())
        if lifecycle.judge(live):
            self._save(live)
            for task in live.tasks.values():
                self._dismiss(live, task)
        if live.is_decided and all(task.over for task in live.tasks.values()):
            lifecycle.finish_attempt(live, now)
            self._save(live)
            if job.is_over:
                self._forget(live)

    def _dismiss(self, live: Live, task: Task) -> None:
        """End a task because its attempt is decided."""
        if task.over:
            return
        if task.node_ip is not None:
            lifecycle.dismiss_task(task)
            self._save(live, task)
            folder = self._folder(live, task)
            self._after.append(lambda: self._launcher.stop(folder))
            return
        self._end(live, task, lost_report(None, decided=True))

    def _forget(self, live: Live) -> None:
        """Let go of a job that is over, and of its secrets."""
        self._store.execute("UPDATE configs SET document = NULL WHERE job = ?", (live.job.id,))
        del self._live[live.job.id]
        if live.document.get("secrets"):
            self._after.append(lambda: self._launcher.forget_scripts(live.job.debug_id))

    # Placing.

    def _held(self, virtual_cluster: str | None = None) -> Resources:
        total = Resources()
        for live, task in self._tasks():
            if task.node_ip is None or task.over:
                continue
            if virtual_cluster in (None, live.job.virtual_cluster):
                total = total + role_needs(live.document["taskRoles"][task.role])
        return total

    def _place(self) -> None:
        claims = [claim for live in self._live.values() for claim in self._claims(live)]
        if not claims:
            return
        free = self.total - self._held()
        left = {name: quota - self._held(name) for name, quota in self.quotas.items()}
        decision = schedule(claims, free, left)
        for job_id, tasks in decision.start:
            self._place_tasks(self._live[job_id], tasks)
        for (job_id, _), reason in decision.waiting.items():
            self._wait(self._live[job_id], reason)

    def _claims(self, live: Live) -> list[Claim[ClaimKey]]:
        now = self._clock.now()
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

    def _place_tasks(self, live: Live, keys: Iterable[tuple[str, int]]) -> None:
        tasks = [live.tasks[key] for key in keys]
        for task in tasks:
            running = [t for _, t in self._tasks() if t.node_ip is not None and not t.over]
            taken = {port for t in running for group in t.ports.values() for port in group}
            task.uid, task.ports = choose_uid(live.document, task.role, task.uid, taken)
            need = role_needs(live.document["taskRoles"][task.role]).gpu
            task.gpus = choose_gpus(need, self.total.gpu, [g for t in running for g in t.gpus])
            task.node_ip = IP
            self._tell(live, "Normal", "Scheduled", "The task was placed on this machine.", task)
        self._save(live, *tasks)
        for task in tasks:
            self._start_later(live, task)

    def _start_later(self, live: Live, task: Task) -> None:
        self._after.append(lambda: self._start_task(live, task))

    def _start_task(self, live: Live, task: Task) -> None:
        try:
            self._prepare_and_start(live, task)
        except OSError as error:  # a full disk, no more processes: tried again at the next sweep
            log.warning("task %s could not be started: %s", task.uid, error)
            self._tell(live, "Warning", "FailedStart", f"Not started yet: {error}.", task)

    def _prepare_and_start(self, live: Live, task: Task) -> None:
        folder = self._folder(live, task)
        text = self._store.query("SELECT text FROM configs WHERE job = ?", (live.job.id,))[0][0]
        environment, steps = plan(
            live.job,
            live.document,
            task,
            live.tasks.values(),
            gpus_managed=self.total.gpu > 0,
            folder=folder,
            uri=self.uri,
            storages=self._storages(live.job.user),
        )
        self._launcher.prepare(folder, task.uid, environment, steps, text)
        self._launcher.start(folder, task.uid)

    def _wait(self, live: Live, reason: str) -> None:
        if reason != live.reason:
            live.reason = reason
            self._tell(live, "Warning", "FailedScheduling", reason)

    # Writing down.

    def _save(self, live: Live, *tasks: Task) -> None:
        older, live.older = live.older, []
        newest = [live.tasks[task.role, task.index] for task in tasks]
        live.job.summary = summary(live.job)
        self._store.save(live.job, *older, *newest)
        if live.attempt is not None:
            self._store.save(live.attempt)

    def _tell(
        self, live: Live, kind: str, reason: str, message: str, task: Task | None = None
    ) -> None:
        event = Event(str(uuid.uuid4()), live.job.id, kind, reason, message, self._clock.now())
        if task is not None:
            event.pod, event.role, event.index = task.uid, task.role, task.index
        self._store.save(event)
