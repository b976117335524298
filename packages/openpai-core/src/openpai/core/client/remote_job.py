"""``RemoteJob``: a job on a cluster: status, logs, tasks, tags, outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from openpai.core import retry
from openpai.core.errors import NotFoundError, ServerError, WaitTimeout
from openpai.core.rest import jobs, tasks

if TYPE_CHECKING:
    from datetime import datetime

    from openpai.core.client.cluster import Cluster
    from openpai.core.client.diagnosis import Explanation
    from openpai.core.client.logs import LogLine
    from openpai.core.protocol import Job
    from openpai.core.rest import Event, JobDetail, Session, TaskHistory, TaskStatus
    from openpai.core.storage import Storage

__all__ = ["RemoteJob"]

_LONGEST_POLL = 10.0


class RemoteJob:
    """A job that a cluster knows, or will know.

    Args:
        cluster: Where it is.
        key: ``<user>~<name>``.
    """

    def __init__(self, cluster: Cluster, key: str) -> None:
        self.cluster = cluster
        self.key = key

    @property
    def user(self) -> str:
        """Who submitted it."""
        return self.key.partition("~")[0]

    @property
    def name(self) -> str:
        """Its name, without the user."""
        return self.key.partition("~")[2]

    @property
    def url(self) -> str:
        """Its page in PAI's web portal."""
        from urllib.parse import urlencode

        query = urlencode({"username": self.user, "jobName": self.name})
        return f"{self.session.address.origin}/job-detail.html?{query}"

    @property
    def session(self) -> Session:
        """The cluster's session."""
        return self.cluster.session

    def __repr__(self) -> str:
        return f"<RemoteJob {self.key} on {self.cluster.alias or self.cluster.uri}>"

    def status(self, attempt: int | None = None) -> JobDetail:
        """Return the server's description of the job, of its latest attempt unless one is given.

        Raises:
            JobNotFoundError: There is no such job or attempt.
            ConnectionFailed: No answer came.
        """
        return jobs.get_job(self.session, self.key, attempt)

    def state(self) -> str:
        """Return WAITING, RUNNING, STOPPING, STOPPED, SUCCEEDED, FAILED or UNKNOWN.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        return self.status().state

    def exit_code(self) -> int | None:
        """Return the user's own exit code (else the platform's); ``None`` until the job has ended.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        return self.status().exit_code

    def wait(self, timeout: float | None = None, poll: float | None = None) -> JobDetail:
        """Return when the job has ended: SUCCEEDED, FAILED or STOPPED.

        A retry takes a job from RUNNING back to WAITING, so only these states count.

        Args:
            timeout: Maximum number of seconds; ``None``: no limit.
            poll: Seconds between two looks; ``None``: short at first, then up to 10.

        Raises:
            WaitTimeout: The time ran out; the job continues.
            JobNotFoundError: There is no such job.
            OpenPaiError: The cluster did not answer for 10 minutes.
        """

        def look() -> JobDetail | None:
            detail = self.status()
            return detail if detail.ended else None

        def expired() -> WaitTimeout:
            return WaitTimeout(
                f"'{self.key}' has not ended within {timeout:g} s; the job continues.",
                f"Wait again: opai job wait {self.key}",
            )

        return retry.poll(
            look,
            timeout=timeout,
            on_timeout=expired,
            was_well=self.session.answered,
            pauses=(poll, poll) if poll else (0.2, _LONGEST_POLL),
        )

    def log_lines(
        self,
        role: str | None = None,
        index: int | None = None,
        stream: str = "all",
        *,
        follow: bool = False,
        tail: int | None = None,
        since: datetime | None = None,
        attempt: int | None = None,
    ) -> Iterator[LogLine]:
        """Yield the lines of one task or, without ``role`` and ``index``, of all tasks.

        Args:
            role: A task role, in any spelling.
            index: A task's index.
            stream: ``all``, ``stdout``, ``stderr``, or another log's name.
            follow: Continue, through retries, until the job has ended.
            tail: Only the last lines of each task's present log, then what follows.
            since: Only lines that are not older. PAI keeps no times of lines, so what counts are
                the times that lines begin with, without a zone in UTC; where a task's lines have
                none, all are given, and a warning says so.
            attempt: Of which attempt, from 0; ``None``: the latest. Following ignores it.

        Raises:
            NotFoundError: There is no such job or task.
            OpenPaiError: The cluster did not answer for 10 minutes.
        """
        from openpai.core.client.logs import LogFilter, follow_logs, read_logs

        read = follow_logs if follow else read_logs
        return read(self, LogFilter(role, index, stream, tail, since, attempt))

    def logs(
        self,
        role: str | None = None,
        index: int | None = None,
        stream: str = "all",
        *,
        follow: bool = False,
        tail: int | None = None,
    ) -> Iterator[str]:
        """Yield the texts of :meth:`log_lines`."""
        for line in self.log_lines(role, index, stream, follow=follow, tail=tail):
            yield line.text

    def stop(self) -> None:
        """Ask the server to stop the job; it does so within seconds to minutes.

        Stopping a job that has ended is not an error.

        Raises:
            JobNotFoundError: There is no such job.
            PermissionDeniedError: It is another user's.
            ConnectionFailed: No answer came.
        """
        try:
            jobs.set_execution_type(self.session, self.key, "STOP")
        except ServerError:
            # The server answers 500 for a job that has ended and was cleaned up.
            if not self.status().ended:
                raise

    def tasks(self) -> list[tuple[str, TaskStatus]]:
        """Return (role, task) for every task of the latest attempt.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        return list(self.status().tasks())

    def attempts(self) -> list[JobDetail]:
        """Return every attempt of the job with its tasks, the first one first.

        Job-level fields such as ``state`` are those of the job, in each of them.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        latest = self.status()
        older = range(latest.attempt_id or 0)
        return [*(self.status(attempt=number) for number in older), latest]

    def task(self, role: str, index: int = 0, *, attempt: int | None = None) -> TaskHistory:
        """Return one task and all its runs in one attempt of the job.

        Args:
            role: The task role, in any spelling.
            index: The task's index.
            attempt: The job's attempt; ``None``: the latest.

        Raises:
            JobNotFoundError: There is no such job, attempt or task.
            ConnectionFailed: No answer came.
        """
        from openpai.core.protocol import convert_name

        if attempt is None:
            attempt = self.status().attempt_id or 0
        return tasks.get_task(self.session, self.key, attempt, convert_name(role), index)

    def explain(self, lines: int = 10) -> Explanation:
        """Return why the job waits or failed: exit spec, events, last lines of the log.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        from openpai.core.client.diagnosis import explain

        return explain(self, lines)

    def events(self, kind: str | None = None) -> list[Event]:
        """Return what happened to the job, newest first; ``kind``: ``Normal`` or ``Warning``.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        return jobs.list_events(self.session, self.key, kind)

    def config(self) -> Job:
        """Return the job's description as the server keeps it; its secrets are masked there.

        Raises:
            JobNotFoundError: There is no such job.
            ConnectionFailed: No answer came.
        """
        from openpai.core.protocol import Job

        return Job.from_remote(jobs.get_config(self.session, self.key))

    def add_tag(self, tag: str) -> None:
        """Tag the job.

        Raises:
            PermissionDeniedError: It is another user's.
            JobNotFoundError: There is no such job.
        """
        jobs.add_tag(self.session, self.key, tag)

    def delete_tag(self, tag: str) -> None:
        """Take a tag off the job.

        Raises:
            NotFoundError: The job lacks the tag, or does not exist.
            PermissionDeniedError: It is another user's.
        """
        jobs.delete_tag(self.session, self.key, tag)

    def outputs(self) -> tuple[Storage, str]:
        """Return the storage and the folder that the job's outputs are saved to.

        Raises:
            NotFoundError: The job has no workspace, so it saves no outputs.
            StorageError: The storage cannot be opened from here.
            ConnectionFailed: No answer came.
        """
        from openpai.core.protocol import RuntimeSection
        from openpai.core.storage import Workspace

        section = RuntimeSection.from_job(self.config().document)
        if section is None or not section.workspace:
            raise NotFoundError(
                f"Job '{self.key}' saves no outputs: its description names no workspace.",
                status=404,
                hint="Annotate outputs at submission: opai job sub --output 'GLOB' …",
            )
        workspace = Workspace.parse(section.workspace)
        return self.cluster.storage(workspace.storage), workspace.job(self.name).output
