"""The thread that moves jobs on: places them, starts their tasks, notes their ends, retries.

Each turn first changes records in one transaction, and only then touches processes; whatever is
lost between the two is made up for by the next server, since a task is started at most once.
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

News = Union[Running, Exit, Lost, None]

#: Seconds between two looks at all running tasks, should a supervisor's word have been lost.
SWEEP = 2.0


class Controller:
    """All jobs that are not over.

    Args:
        roster: The live jobs.
        placement: Who gets which part of the machine.
        launcher: How tasks are looked at and ended.
        bell: How this thread is woken.
        clock: The cluster's time.
    """

    def __init__(
        self,
        roster: ActiveJobs,
        placement: Placement,
        launcher: Launcher,
        bell: WakeupPipe,
        clock: Clock,
    ) -> None:
        self._roster = roster
        self._placement = placement
        self._launcher = launcher
        self._bell = bell
        self._clock = clock
        self._after: list[Callable[[], object]] = []
        self._fates: dict[str, Report] = {}
        self._listen_to_all = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)

    # What request handlers ask for.

    @property
    def total(self) -> Resources:
        """What the machine has."""
        return self._placement.total

    @property
    def quotas(self) -> Mapping[str, Resources]:
        """What virtual clusters may use at most, where that is limited."""
        return self._placement.quotas

    def used(self, virtual_cluster: str | None = None) -> Resources:
        """Return what placed tasks hold, all or those of one virtual cluster."""
        return self._roster.held(virtual_cluster)

    def submit(self, job: Job, text: str, document: Mapping[str, Any]) -> None:
        """Take a job in; when this returns, the job is kept whatever happens.

        Raises:
            sqlite3.IntegrityError: Its name is taken.
        """
        self._roster.add(job, text, document)
        self._bell.ring()

    def set_execution_type(self, job_id: int, value: str) -> None:
        """Note that a job is to be stopped (or, without effect in PAI, started)."""
        self._roster.set_execution_type(job_id, value)
        self._bell.ring()

    # What the owner of the cluster asks for.

    def start(self, uri: str) -> None:
        """Take up the jobs that an earlier server left, and begin."""
        self._placement.uri = uri
        self._roster.load()
        self._thread.start()

    def stop(self) -> None:
        """End the thread; tasks go on."""
        self._stopping = True
        self._bell.ring()
        self._thread.join()

    def stop_all(self) -> None:
        """Ask every job to stop."""
        with self._roster.lock:
            for job_id in list(self._roster.jobs):
                self.set_execution_type(job_id, "STOP")

    @property
    def is_busy(self) -> bool:
        """Whether any job is not over."""
        return bool(self._roster.jobs)

    def wake(self) -> None:
        """Let the thread look again, because the clock was moved."""
        self._bell.ring()

    def lose_tasks(self, report: Report, framework: str = "") -> int:
        """Kill running tasks and report them as lost in a certain way; return how many ran.

        Args:
            report: What PAI is to say of them.
            framework: The job, as ``user~name``; empty means all.
        """
        lost = 0
        for live, task in self._roster.placed():
            if framework in ("", live.job.framework):
                self._fates[task.uid] = report
                lost += self._launcher.kill(self._folder(live, task))
        self._listen_to_all = True
        self._bell.ring()
        return lost

    def rotate_logs(self, framework: str) -> int:
        """Let the running tasks of a job begin new log files; return how many ran."""
        tasks = [pair for pair in self._roster.placed() if pair[0].job.framework == framework]
        return sum(self._launcher.rotate_logs(self._folder(live, task)) for live, task in tasks)

    # The thread.

    def _run(self) -> None:
        rung: set[str] = set()
        while not self._stopping:
            try:
                everywhere, self._listen_to_all = self._listen_to_all, False
                self._turn(None if everywhere else rung)
            except Exception:
                log.exception("a turn of the controller failed; its records are read anew")
                self._reload()
            begun = time.monotonic()
            pause = self._pause()
            rung = self._bell.wait(pause)
            if pause is not None and time.monotonic() - begun >= SWEEP:
                self._listen_to_all = True

    def _pause(self) -> float | None:
        """Return how long nothing can happen without the bell."""
        now = self._clock.now()
        with self._roster.lock:
            due = [live.job.retry_at for live in self._roster.jobs.values()]
            due += [task.retry_at for _, task in self._roster.tasks() if task.node_ip is None]
            running = bool(self._roster.placed())
        pauses = [max(0.0, (at - now) / 1000) for at in due if at is not None]
        return min([*pauses, SWEEP]) if pauses or running else None

    def _reload(self) -> None:
        time.sleep(0.5)  # a full disk does not get better by being asked all the time
        self._listen_to_all = True
        try:
            self._roster.load()
        except Exception:
            log.exception("the records could not be read")

    def _turn(self, rung: set[str] | None) -> None:
        """Do all that can be done now; ``rung`` names the tasks with news, ``None`` means all."""
        heard = self._listen(rung)
        with self._roster.lock:
            self._after = []  # what a turn that failed meant to do is not what the records say
            with self._roster.store.transaction():
                for live, task, news, report in heard:
                    self._hear(live, task, news, report)
                for live in list(self._roster.jobs.values()):
                    self._advance(live)
                for live, task in self._placement.place(self._clock.now()):
                    self._start_later(live, task)
            after, self._after = self._after, []
        for action in after:
            action()

    def _folder(self, live: ActiveJob, task: Task) -> Path:
        return self._launcher.folder(live.job.debug_id, task.uid)

    def _start_later(self, live: ActiveJob, task: Task) -> None:
        self._after.append(lambda: self._placement.start(live, task))

    # News of running tasks.

    def _listen(self, rung: set[str] | None) -> list[tuple[ActiveJob, Task, News, Report | None]]:
        """Look at tasks; their logs are read here, while nobody waits for a lock."""
        heard = []
        for live, task in self._roster.placed():
            if rung is not None and task.uid not in rung:
                continue
            folder = self._folder(live, task)
            news = self._launcher.look(folder, task.uid)
            report = None
            if isinstance(news, Exit):
                report = exit_report(news, folder, decided=live.is_decided)
            elif isinstance(news, Lost):
                self._launcher.clean(task.uid)
                report = self._fates.pop(task.uid, lost_report(news, decided=live.is_decided))
            heard.append((live, task, news, report))
        return heard

    def _hear(self, live: ActiveJob, task: Task, news: News, report: Report | None) -> None:
        if news is None:
            self._start_later(live, task)
        started = news.started if isinstance(news, Exit) else getattr(news, "at", None)
        if task.launched is None and started is not None:
            lifecycle.task_launched(live, task, started)
            self._roster.save(live, task)
        if isinstance(news, Running) and live.is_decided:
            self._dismiss(live, task)  # it may have been asked before it could hear
        if report is None:
            return
        if isinstance(news, Lost):
            self._roster.tell(live, "Warning", report.reason, report.diagnostics, task)
        elif isinstance(news, Exit) and news.log_error:
            text = f"Output was lost: {news.log_error}."
            self._roster.tell(live, "Warning", "LogDropped", text, task)
        self._end(live, task, report)

    def _end(self, live: ActiveJob, task: Task, report: Report) -> None:
        lifecycle.end_task(live, task, report, self._clock.now())
        self._roster.save(live, task)

    # The course of a job.

    def _advance(self, live: ActiveJob) -> None:
        now = self._clock.now()
        job = live.job
        between = live.attempt is None or job.sub_state == "AttemptCompleted"
        if between:
            if job.execution_type != "STOP" and (job.retry_at or 0) > now:
                return
            lifecycle.begin_attempt(live, now)
            self._roster.save(live, *live.tasks.values())
        if lifecycle.judge(live):
            self._roster.save(live)
            for task in live.tasks.values():
                self._dismiss(live, task)
        if live.is_decided and all(task.over for task in live.tasks.values()):
            lifecycle.finish_attempt(live, now)
            self._roster.save(live)
            if job.is_over:
                self._forget(live)

    def _dismiss(self, live: ActiveJob, task: Task) -> None:
        """End a task because its attempt is decided."""
        if task.over:
            return
        if task.node_ip is not None:
            lifecycle.dismiss_task(task)
            self._roster.save(live, task)
            folder = self._folder(live, task)
            self._after.append(lambda: self._launcher.stop(folder))
            return
        self._end(live, task, lost_report(None, decided=True))

    def _forget(self, live: ActiveJob) -> None:
        self._roster.forget(live)
        if live.document.get("secrets"):
            self._after.append(lambda: self._launcher.delete_scripts(live.job.debug_id))
