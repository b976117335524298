"""The thread that advances jobs: places them, starts their tasks, records their ends, retries.

Each turn first changes records in one transaction and then acts on processes. What a crash between
the two prevents, the next server does: a task is started at most once.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Mapping, Union

from openpai.core.local.executor.launcher import Exit, Lost, Running
from openpai.core.local.scheduler import lifecycle
from openpai.core.local.scheduler.exit_report import Report, exit_report, lost_report

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.execution import Job, Task
    from openpai.core.local.executor.launcher import Launcher
    from openpai.core.local.scheduler.active_jobs import ActiveJobs
    from openpai.core.local.scheduler.lifecycle import ActiveJob
    from openpai.core.local.scheduler.placement import Placement
    from openpai.core.local.scheduler.wakeup import WakeupPipe
    from openpai.core.local.state.clock import Clock
    from openpai.core.local.state.machine import Resources

__all__ = ["Controller"]

log = logging.getLogger(__name__)

Status = Union[Running, Exit, Lost, None]

#: Seconds between checks of all running tasks, in case a notification was lost.
POLL_SECONDS = 2.0


class Controller:
    """Runs all jobs that have not ended.

    Args:
        active_jobs: Those jobs.
        placement: Assigns resources to tasks.
        launcher: Starts, stops and inspects tasks.
        wakeup: Wakes this thread.
        clock: The cluster's time.
    """

    def __init__(
        self,
        active_jobs: ActiveJobs,
        placement: Placement,
        launcher: Launcher,
        wakeup: WakeupPipe,
        clock: Clock,
    ) -> None:
        self._active = active_jobs
        self._placement = placement
        self._launcher = launcher
        self._wakeup = wakeup
        self._clock = clock
        self._actions: list[Callable[[], object]] = []
        self._forced_reports: dict[str, Report] = {}
        self._check_all = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)

    # Called by request handlers.

    @property
    def total(self) -> Resources:
        """The resources of the machine."""
        return self._placement.total

    @property
    def quotas(self) -> Mapping[str, Resources]:
        """Maximum resources of virtual clusters that are limited."""
        return self._placement.quotas

    def used(self, virtual_cluster: str | None = None) -> Resources:
        """Return the resources of placed tasks, all or those of one virtual cluster."""
        return self._active.used(virtual_cluster)

    def submit(self, job: Job, text: str, document: Mapping[str, Any]) -> None:
        """Add a job; when this returns, the job is stored durably.

        Raises:
            sqlite3.IntegrityError: Its name is taken.
        """
        self._active.add(job, text, document)
        self._wakeup.notify()

    def set_execution_type(self, job_id: int, value: str) -> None:
        """Request that a job be stopped (or, without effect in PAI, started)."""
        self._active.set_execution_type(job_id, value)
        self._wakeup.notify()

    # Called by the owner of the cluster.

    def start(self, uri: str) -> None:
        """Load the jobs of an earlier server and start the thread."""
        self._placement.uri = uri
        self._active.load()
        self._thread.start()

    def stop(self) -> None:
        """End the thread; tasks keep running."""
        self._stopping = True
        self._wakeup.notify()
        self._thread.join()

    def stop_all(self) -> None:
        """Stop every job."""
        with self._active.lock:
            for job_id in list(self._active.jobs):
                self.set_execution_type(job_id, "STOP")

    @property
    def is_busy(self) -> bool:
        """Whether any job has not ended."""
        return bool(self._active.jobs)

    def wake(self) -> None:
        """Wake the thread, because the clock was moved."""
        self._wakeup.notify()

    def lose_tasks(self, report: Report, framework: str = "") -> int:
        """Kill running tasks and record a given report for them; return how many ran.

        Args:
            report: Their exit report.
            framework: The job, as ``user~name``; empty means all.
        """
        lost = 0
        for live, task in self._active.placed():
            if framework in ("", live.job.framework):
                self._forced_reports[task.uid] = report
                lost += self._launcher.kill(self._folder(live, task))
        self._check_all = True
        self._wakeup.notify()
        return lost

    def rotate_logs(self, framework: str) -> int:
        """Rotate the logs of a job's running tasks; return how many ran."""
        tasks = [pair for pair in self._active.placed() if pair[0].job.framework == framework]
        return sum(self._launcher.rotate_logs(self._folder(live, task)) for live, task in tasks)

    # The thread.

    def _run(self) -> None:
        notified: set[str] = set()
        while not self._stopping:
            try:
                everywhere, self._check_all = self._check_all, False
                self._turn(None if everywhere else notified)
            except Exception:
                log.exception("a turn of the controller failed; reloading the records")
                self._reload()
            begun = time.monotonic()
            pause = self._pause()
            notified = self._wakeup.wait(pause)
            if pause is not None and time.monotonic() - begun >= POLL_SECONDS:
                self._check_all = True

    def _pause(self) -> float | None:
        """Return seconds until something may happen without a notification; ``None`` for never."""
        now = self._clock.now()
        with self._active.lock:
            due = [live.job.retry_at for live in self._active.jobs.values()]
            due += [task.retry_at for _, task in self._active.tasks() if task.node_ip is None]
            running = bool(self._active.placed())
        pauses = [max(0.0, (at - now) / 1000) for at in due if at is not None]
        return min([*pauses, POLL_SECONDS]) if pauses or running else None

    def _reload(self) -> None:
        time.sleep(0.5)  # the cause, such as a full disk, may last
        self._check_all = True
        try:
            self._active.load()
        except Exception:
            log.exception("the records could not be read")

    def _turn(self, notified: set[str] | None) -> None:
        """Apply statuses of the notified (or all) tasks, advance jobs, place and start tasks."""
        statuses = self._read_statuses(notified)
        with self._active.lock:
            self._actions = []  # a failed turn's actions do not match the records
            with self._active.store.transaction():
                for live, task, status, report in statuses:
                    self._apply(live, task, status, report)
                for live in list(self._active.jobs.values()):
                    self._advance(live)
                for live, task in self._placement.place(self._clock.now()):
                    self._start_after_turn(live, task)
            actions, self._actions = self._actions, []
        for action in actions:
            action()

    def _folder(self, live: ActiveJob, task: Task) -> Path:
        return self._launcher.folder(live.job.debug_id, task.uid)

    def _start_after_turn(self, live: ActiveJob, task: Task) -> None:
        self._actions.append(lambda: self._placement.start(live, task))

    # Tasks.

    def _read_statuses(
        self, notified: set[str] | None
    ) -> list[tuple[ActiveJob, Task, Status, Report | None]]:
        """Return the status of tasks; logs are read here, where no lock is held."""
        statuses = []
        for live, task in self._active.placed():
            if notified is not None and task.uid not in notified:
                continue
            folder = self._folder(live, task)
            status = self._launcher.status(folder, task.uid)
            report = None
            if isinstance(status, Exit):
                report = exit_report(status, folder, decided=live.is_decided)
            elif isinstance(status, Lost):
                self._launcher.clean(task.uid)
                report = self._forced_reports.pop(
                    task.uid, lost_report(status, decided=live.is_decided)
                )
            statuses.append((live, task, status, report))
        return statuses

    def _apply(self, live: ActiveJob, task: Task, status: Status, report: Report | None) -> None:
        if status is None:
            self._start_after_turn(live, task)
        started = status.started if isinstance(status, Exit) else getattr(status, "at", None)
        if task.launched is None and started is not None:
            lifecycle.task_launched(live, task, started)
            self._active.save(live, task)
        if isinstance(status, Running) and live.is_decided:
            self._delete_task(live, task)  # its first stop signal may have come too early
        if report is None:
            return
        if isinstance(status, Lost):
            self._active.add_event(live, "Warning", report.reason, report.diagnostics, task)
        elif isinstance(status, Exit) and status.log_error:
            text = f"Output was lost: {status.log_error}."
            self._active.add_event(live, "Warning", "LogDropped", text, task)
        self._end(live, task, report)

    def _end(self, live: ActiveJob, task: Task, report: Report) -> None:
        lifecycle.end_task(live, task, report, self._clock.now())
        self._active.save(live, task)

    # Jobs.

    def _advance(self, live: ActiveJob) -> None:
        now = self._clock.now()
        job = live.job
        between = live.attempt is None or job.sub_state == "AttemptCompleted"
        if between:
            if job.execution_type != "STOP" and (job.retry_at or 0) > now:
                return
            lifecycle.begin_attempt(live, now)
            self._active.save(live, *live.tasks.values())
        if lifecycle.decide_attempt(live):
            self._active.save(live)
            for task in live.tasks.values():
                self._delete_task(live, task)
        if live.is_decided and all(task.over for task in live.tasks.values()):
            lifecycle.finish_attempt(live, now)
            self._active.save(live)
            if job.is_over:
                self._remove_job(live)

    def _delete_task(self, live: ActiveJob, task: Task) -> None:
        """Stop a task because its attempt is decided."""
        if task.over:
            return
        if task.node_ip is not None:
            lifecycle.request_deletion(task)
            self._active.save(live, task)
            folder = self._folder(live, task)
            self._actions.append(lambda: self._launcher.stop(folder))
            return
        self._end(live, task, lost_report(None, decided=True))

    def _remove_job(self, live: ActiveJob) -> None:
        self._active.remove(live)
        if live.document.get("secrets"):
            self._actions.append(lambda: self._launcher.delete_scripts(live.job.debug_id))
