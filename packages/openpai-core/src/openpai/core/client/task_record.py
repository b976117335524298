"""Read what openpai-runtime recorded of a task: why it failed, which outputs were not saved.

The record is a file in the job's folder (:meth:`~openpai.core.storage.workspace.JobFolder.record`),
so it can be read wherever the workspace's storage can be reached.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from openpai.core.deadline import DeadlineError, with_deadline
from openpai.core.errors import OpenPaiError

if TYPE_CHECKING:
    from openpai.core.client.remote_job import RemoteJob

__all__ = ["failure_lines", "record_lines"]

_DEADLINE = 15.0


def failure_lines(explanation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one readable block that tells why a command failed.

    Args:
        explanation: The key ``explanation`` of a task's record.
    """
    name = explanation.get("signal")
    how = f"exit code {explanation.get('exitCode')}" + (f" ({name})" if name else "")
    if explanation.get("notStarted"):
        yield f"The command was not started ({how}): {explanation['notStarted']}"
    else:
        yield f"The command failed with {how} after {explanation.get('seconds')} s."
    if explanation.get("oomKills"):
        yield (
            f"  Memory: the kernel killed {explanation['oomKills']} of this container's processes. "
            "Raise memoryMB of the task role, or use less."
        )
    yield from (f"  Disk: {folder} is full." for folder in explanation.get("fullDisks") or ())
    yield from (f"  GPU: {fault}" for fault in explanation.get("gpuFaults") or ())
    log = explanation.get("log")
    if log:
        yield f"  Log: {log.get('line')}"
        yield f"    {log.get('meaning')} {log.get('advice')}"


def record_lines(
    job: RemoteJob, role: str, index: int, attempt: tuple[int | None, int | None]
) -> list[str]:
    """Return what the record of a failed task says, or why it cannot be read from here.

    A job that does not use the runtime, or has no workspace, has none: the list is empty.

    Args:
        job: The task's job.
        role: The task's role, in any spelling.
        index: The task's index in it.
        attempt: The job's attempt and the task's own, from 0; what is ``None`` is not compared.
    """
    try:
        return with_deadline(lambda: list(_lines(job, role, index, attempt)), _DEADLINE)
    except DeadlineError:  # some storages hang where others refuse
        return [f"The job's storage did not answer within {_DEADLINE:g} s."]
    except (OSError, ValueError, TypeError, AttributeError, OpenPaiError) as error:
        return [f"The record that the runtime keeps of it cannot be read here: {error}"]


def _lines(
    job: RemoteJob, role: str, index: int, attempt: tuple[int | None, int | None]
) -> Iterator[str]:
    from openpai.core.protocol import RuntimeSection, convert_name
    from openpai.core.storage import Workspace

    document = job.config().document
    section = RuntimeSection.from_job(document)
    if section is None or not section.workspace:
        return
    workspace = Workspace.parse(section.workspace)
    names = (name for name in document["taskRoles"] if convert_name(name) == convert_name(role))
    path = workspace.job(job.name).record(next(names, role), index)
    with job.cluster.storage(workspace.storage) as storage:
        try:
            with storage.open_read(path) as stream:
                record = json.load(stream)
        except FileNotFoundError:
            yield "The runtime left no record of it: the task was killed before it could."
            return
    made_in = record["attempt"]
    if any(
        known is not None and known != made_in[key] for key, known in zip(("job", "task"), attempt)
    ):
        yield "The runtime left no record of its last start, which was killed before it could."
        return
    if record.get("explanation"):
        yield from failure_lines(record["explanation"])
    lost = record.get("notSaved") or ()
    if lost:
        yield f"Not saved: {len(lost)} of its outputs, the first being {lost[0]['path']}."
