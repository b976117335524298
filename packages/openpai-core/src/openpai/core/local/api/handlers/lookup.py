"""Look up records by the names in paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.execution import Job, Task
from openpai.core.local.api.responses import HttpError
from openpai.core.protocol import encode_name

if TYPE_CHECKING:
    from openpai.core.local.state.store import Store

__all__ = ["find_job", "tags_of", "tasks_of"]


def find_job(store: Store, name: str) -> Job:
    """Return the job with this ``user~name`` or debug id.

    Raises:
        HttpError: There is no such job.
    """
    job = store.one(Job, "debug_id = ?", (encode_name(name),))
    if job is None:
        raise HttpError(404, "NoJobError", f"Job {name} is not found.")
    return job


def tags_of(store: Store, job: Job) -> list[str]:
    """Return the tags of a job in the order of their creation."""
    rows = store.query("SELECT tag FROM tags WHERE job = ? ORDER BY rowid", (job.id,))
    return [row["tag"] for row in rows]


def tasks_of(store: Store, job: Job, attempt: int) -> list[Task]:
    """Return the newest attempt of every task of a job attempt, in the order of the job file."""
    found = store.find(Task, "job = ? AND attempt = ? ORDER BY rowid, retry", (job.id, attempt))
    newest: dict[tuple[str, int], Task] = {}
    for task in found:
        newest[task.role, task.index] = task
    return list(newest.values())
