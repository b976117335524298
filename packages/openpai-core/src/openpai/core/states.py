"""States of jobs and tasks (rest-server/src/models/v2/utils/frameworkConverter.js)."""

from __future__ import annotations

__all__ = [
    "ACTIVE_STATES",
    "STATES",
    "TERMINAL_STATES",
    "attempt_state",
    "job_state",
]

#: States of a job in the REST API.
STATES = ("WAITING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "UNKNOWN")
TERMINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
#: States of jobs that can be stopped and are not being stopped.
ACTIVE_STATES = ("WAITING", "RUNNING", "UNKNOWN")

_STOPPED_CODES = (-210, -220)
_WAITING = frozenset({"AttemptCreationPending", "AttemptCreationRequested", "AttemptPreparing"})
_DELETING = frozenset({"AttemptDeletionPending", "AttemptDeletionRequested", "AttemptDeleting"})


def job_state(sub_state: str | None, code: int | None) -> str:
    """Return the state of a job or task.

    Args:
        sub_state: FrameworkController's name of the state, such as ``AttemptRunning``.
        code: The exit code of its last attempt, if that has ended.
    """
    if sub_state == "AttemptCompleted":
        return "STOPPING" if code in _STOPPED_CODES else "RUNNING"
    return _state(sub_state, code)


def attempt_state(sub_state: str | None, code: int | None) -> str:
    """Return the state of one attempt, which may end before its job or task."""
    return _state("Completed" if sub_state == "AttemptCompleted" else sub_state, code)


def _state(sub_state: str | None, code: int | None) -> str:
    if sub_state in _WAITING:
        return "WAITING"
    if sub_state == "AttemptRunning":
        return "RUNNING"
    if sub_state in _DELETING:
        return "STOPPING" if code in _STOPPED_CODES else "RUNNING"
    if sub_state == "Completed":
        return _ended(code)
    return "UNKNOWN"


def _ended(code: int | None) -> str:
    if code == 0:
        return "SUCCEEDED"
    return "STOPPED" if code in _STOPPED_CODES else "FAILED"
