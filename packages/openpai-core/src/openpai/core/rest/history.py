"""The older calls about the attempts of a job (tag *job history*; deprecated by the server).

:func:`openpai.core.rest.jobs.get_job` with an attempt's number returns more.
"""

from __future__ import annotations

from typing import Any

from openpai.core.errors import ApiError, JobNotFoundError, NotFoundError
from openpai.core.rest.fields import (
    Record,
    flag,
    integer,
    mapping,
    moment,
    optional_integer,
    text,
)
from openpai.core.rest.session import Session, segment

__all__ = ["JobAttempt", "get_attempt", "has_history", "list_attempts"]


class JobAttempt(Record):
    """One run of a job, with the field names of the old history API.

    Attributes:
        index: From 0; ``None`` before the first start.
        is_latest: Only meaningful in a list: a single attempt always has true.
    """

    __slots__ = ()
    job_name = text("jobName")
    username = text("userName")
    uid = text("uid")
    state = text("state")
    sub_state = text("originState")
    index = optional_integer("attemptIndex")
    job_started_time = moment("jobStartedTime")
    started_time = moment("attemptStartedTime")
    completed_time = moment("attemptCompletedTime")
    exit_code = optional_integer("exitCode")
    exit_phrase = text("exitPhrase")
    exit_type = text("exitType")
    exit_diagnostics = mapping("exitDiagnostics")
    exit_spec = mapping("appExitSpec")
    exit_messages = mapping("appExitMessages")
    exit_trigger_message = text("appExitTriggerMessage")
    exit_trigger_task_role = text("appExitTriggerTaskRoleName")
    exit_trigger_task_index = optional_integer("appExitTriggerTaskIndex")
    total_gpu_number = integer("totalGpuNumber")
    total_task_number = integer("totalTaskNumber")
    task_roles = mapping("taskRoles")
    is_latest = flag("isLatest")


def has_history(session: Session, key: str) -> bool:
    """``GET /api/v2/jobs/{user}~{job}/job-attempts/healthz``: whether the calls below work.

    Any token. The answer is plain text; 501 means no
    (rest-server/src/controllers/v2/job-attempt.js).
    """
    path = f"/jobs/{segment(key)}/job-attempts/healthz"
    try:
        answer: str = session.request("GET", path, read=lambda response: response.text)
    except ApiError as error:
        if error.status == 501:
            return False
        raise
    return answer.strip() == "ok"


def list_attempts(session: Session, key: str) -> list[JobAttempt]:
    """``GET /api/v2/jobs/{user}~{job}/job-attempts``; any token.

    The server puts the latest first and then the others in ascending order; here they come in
    ascending order.

    Source: rest-server/src/controllers/v2/job-attempt.js.

    Raises:
        JobNotFoundError: There is no such job (the server answers 404 and ``null``).
        ServerError: The cluster keeps no history.
    """
    return sorted(
        (JobAttempt(raw) for raw in _get(session, key, "job-attempts", list)),
        key=lambda attempt: attempt.index or 0,
    )


def get_attempt(session: Session, key: str, index: int) -> JobAttempt:
    """``GET /api/v2/jobs/{user}~{job}/job-attempts/{index}``; any token.

    Source: rest-server/src/controllers/v2/job-attempt.js.

    Raises:
        JobNotFoundError: There is no such job or attempt (the server answers 404 and ``null``).
        ServerError: The cluster keeps no history.
    """
    return JobAttempt(_get(session, key, f"job-attempts/{index}", dict))


def _get(session: Session, key: str, what: str, kind: type) -> Any:
    """GET it; the server's 404 names no code, so the sentence is made here."""
    try:
        return session.get(f"/jobs/{segment(key)}/{what}", kind=kind)
    except NotFoundError as error:
        raise JobNotFoundError(
            f"There is no job '{key}', or no such attempt of it.",
            status=error.status,
            code=error.code,
            request=error.request,
        ) from None
