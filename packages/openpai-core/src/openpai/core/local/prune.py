"""Forget jobs that have been over for a while, with their logs and working folders."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from openpai.core.local.state.clock import duration
from openpai.core.local.state.state_dir import Folder, default_folder
from openpai.core.local.state.models import Job
from openpai.core.local.state.store import Store

if TYPE_CHECKING:
    import os

__all__ = ["prune"]

#: table → the column with the job's id
_TABLES = {
    "jobs": "id",
    "configs": "job",
    "attempts": "job",
    "tasks": "job",
    "tags": "job",
    "events": "job",
}


def prune(
    folder: str | os.PathLike[str] | None = None, *, older_than: str | float = "30d"
) -> list[str]:
    """Remove ended jobs from a state folder, whether its server is up or not.

    The names of removed jobs may be used again.

    Args:
        folder: The state folder; ``None`` means ``$OPENPAI_HOME/local``.
        older_than: How long a job must have been over: seconds, or a text such as ``12h``.

    Returns:
        The removed jobs as ``user~name``.

    Raises:
        ValueError: ``older_than`` is no duration.
    """
    place = Folder(folder or default_folder())
    before = int((time.time() - duration(older_than)) * 1000)
    if not place.database.exists():
        return []
    store = Store(place.database)
    try:
        jobs = store.find(Job, "sub_state = 'Completed' AND completed < ?", (before,))
        for job in jobs:
            _remove(store, place, job)
    finally:
        store.close()
    return [job.framework for job in jobs]


def _remove(store: Store, place: Folder, job: Job) -> None:
    # The records last: what was begun and not finished is found again.
    shutil.rmtree(str(place.jobs / job.debug_id), ignore_errors=True)
    with store.transaction():
        for table, column in _TABLES.items():
            store.execute(f"DELETE FROM {table} WHERE {column} = ?", (job.id,))  # noqa: S608 - ours
