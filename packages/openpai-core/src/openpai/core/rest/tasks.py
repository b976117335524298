"""The runs of one task (operation *getTask*; tag *job*)."""

from __future__ import annotations

from openpai.core.rest.models import TaskAttemptStatus, TaskFacts
from openpai.core.rest.fields import integer, text
from openpai.core.rest.session import Session, segment

__all__ = ["TaskHistory", "get_task"]


class TaskHistory(TaskFacts):
    """One task of one job attempt, and all its runs.

    Attributes:
        role: The task role as the server spells it.
    """

    __slots__ = ()
    username = text("username")
    job_name = text("jobName")
    job_attempt = integer("jobAttemptId")
    role = text("taskRoleName")

    @property
    def attempts(self) -> list[TaskAttemptStatus]:
        """The runs, the first one first (the server sends the newest first)."""
        found = (TaskAttemptStatus(raw) for raw in self.raw.get("attempts") or ())
        return sorted(found, key=lambda attempt: attempt.attempt_id or 0)


def get_task(session: Session, key: str, job_attempt: int, role: str, index: int) -> TaskHistory:
    """``GET /api/v2/jobs/{user}~{job}/attempts/{a}/taskRoles/{r}/taskIndex/{i}/attempts``.

    Any token. ``role`` is the server's spelling: lower case, letters and digits only
    (rest-server/src/models/v2/task.js).

    Raises:
        JobNotFoundError: There is no such job, attempt, role or index.
        ConnectionFailed: No answer came.
    """
    path = f"/jobs/{segment(key)}/attempts/{job_attempt}/taskRoles/{segment(role)}"
    return TaskHistory(session.get(f"{path}/taskIndex/{index}/attempts", kind=dict))
