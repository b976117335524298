"""Manifest of a task: ``output/.openpai/<role>-<index>.json``.

::

    {"version": 1, "job": "…", "role": "…", "index": 0, "attempt": {"job": 0, "task": 0},
     "event": "success|failure|stop|timeout", "exitCode": 0,
     "started": "2026-01-01T00:00:00Z", "saved": "2026-01-01T00:10:00Z", "complete": true,
     "files": [{"path": "ckpt/1.pt", "size": 1, "sha256": "…"}],
     "notSaved": [{"path": "ckpt/2.pt", "reason": "…"}], "refused": ["…"], "unmatched": ["…"],
     "seconds": {"code": 0.1, "before": 0.2, "command": 590.2}, "explanation": {…}}

``seconds`` has the time before the command, and the part of it that each key of the section took.
``explanation`` is present when the command failed
(:class:`openpai.runtime.diagnosis.failure.Diagnosis`). The manifest is written when the task ends;
a killed task leaves none. Paths of ``files`` are relative to the job's output folder, other paths
to the task's working directory.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.protocol import Output
from openpai.runtime.job import TaskJob

if TYPE_CHECKING:
    from openpai.core.storage import Storage

__all__ = ["TaskResult", "manifest_path", "timestamp", "write_manifest"]


@dataclass(frozen=True)
class TaskResult:
    """State of the task when its outputs are saved.

    Attributes:
        event: ``success``, ``failure``, ``stop`` or ``timeout``; ``interval`` while it runs.
        started: Unix time of the start of the task.
        code: The command's exit code; ``None`` while it runs.
        every: For ``interval``: the interval in seconds.
        facts: Further entries of the manifest.
    """

    event: str
    started: float
    code: int | None = None
    every: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def wants(self, output: Output) -> bool:
        """Whether an output is saved at this event."""
        if self.event == "interval":
            return output.every is not None and output.every == self.every
        return output.when in ("always", "success" if self.code == 0 else "failure")


def manifest_path(job: TaskJob) -> str:
    """Return the manifest's path in the workspace's storage."""
    assert job.folder
    return job.folder.record(job.context.role, job.context.index)


def timestamp(seconds: float) -> str:
    """Return a Unix time as ISO 8601 in UTC, in whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def write_manifest(
    storage: Storage, job: TaskJob, result: TaskResult, outcome: Mapping[str, Any]
) -> None:
    """Write the manifest atomically; values of ``outcome`` may be iterators.

    Raises:
        OSError: It cannot be written.
    """
    content = {
        "version": 1,
        "job": job.context.job,
        "role": job.context.role,
        "index": job.context.index,
        "attempt": {"job": job.context.job_attempt, "task": job.context.task_attempt},
        "event": result.event,
        "exitCode": result.code,
        "started": timestamp(result.started),
        "saved": timestamp(time.time()),
        **result.facts,
        **outcome,
    }
    with storage.open_write(manifest_path(job)) as stream:
        for piece in _json_chunks(content):
            stream.write(piece.encode())


def _json_chunks(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield an object as JSON, values that are iterators item by item.

    With very many outputs the whole would not fit into the memory of a small container.
    """
    before = "{\n "
    for key, value in content.items():
        yield f"{before}{json.dumps(key)}: "
        before = ",\n "
        if not isinstance(value, Iterator):
            yield json.dumps(value)
            continue
        opening = "[\n  "
        for item in value:
            yield opening + json.dumps(item)
            opening = ",\n  "
        yield "]" if opening.startswith(",") else "[]"
    yield "\n}\n"
