"""Wait until all tasks of a job are about to start their commands.

PAI's gang allocation only tells that every task has a place, not that its process is up. Tasks meet
in the workspace: each writes a file there and looks for the others'. Without a workspace they meet
at a port of the first task.

Each attempt of the job meets anew; a task that is started again within an attempt finds the files
of the others, and replaces its own.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import time
from typing import Any, Dict, Mapping, Tuple

from openpai.core.errors import OpenPaiError
from openpai.runtime.distributed import address
from openpai.runtime.job import TaskJob
from openpai.runtime.messages import say

__all__ = ["Greetings", "absent", "attempt_name", "first_address", "meet", "names"]

Peer = Tuple[str, int]
Greetings = Dict[Peer, Mapping[str, Any]]

_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_TELL_AFTER = 30.0


def meet(
    job: TaskJob, greeting: Mapping[str, Any], timeout: float, meeting: str = "ready"
) -> Greetings:
    """Tell the other tasks something, and return what all of them told, when all have.

    Args:
        job: The task.
        greeting: What is told; it can be written as JSON.
        timeout: Seconds to wait for the others.
        meeting: A name for it, as tasks may meet more than once.

    Raises:
        OpenPaiError: Not all came in time; the sentence names some that are missing.
        OSError: The workspace cannot be used.
    """
    if job.folder:
        return _meet_in_workspace(job, greeting, timeout, meeting)
    from openpai.runtime.rendezvous import meet_at_port

    return meet_at_port(job, greeting, timeout)


def names(job: TaskJob) -> list[Peer]:
    """Return role and index of every task of the job."""
    return [(role, index) for role, count in job.instances.items() for index in range(count)]


def absent(missing: list[Peer], timeout: float) -> OpenPaiError:
    """Return the error that tells who did not come."""
    shown = ", ".join(f"{role}-{index}" for role, index in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return OpenPaiError(
        f"Not all tasks are up after {timeout:g} s: {shown}{more} did not come.",
        "Look at their logs, or raise waitForPeers.",
    )


def _meet_in_workspace(
    job: TaskJob, greeting: Mapping[str, Any], timeout: float, meeting: str
) -> Greetings:
    assert job.folder
    folder = posixpath.join(job.folder.path, "peers", attempt_name(job), meeting)
    deadline, tell_at = time.monotonic() + timeout, time.monotonic() + _TELL_AFTER
    pause = _PAUSE
    found: Greetings = {}
    with job.workspace_storage() as storage:
        own = posixpath.join(folder, f"{job.context.role}-{job.context.index}.json")
        with storage.open_write(own) as stream:
            stream.write(json.dumps(greeting).encode())
        while True:
            for role, index in names(job):
                path = posixpath.join(folder, f"{role}-{index}.json")
                with contextlib.suppress(FileNotFoundError, ValueError):
                    if (role, index) not in found:
                        with storage.open_read(path) as stream:
                            found[role, index] = json.loads(stream.read().decode())
            missing = [peer for peer in names(job) if peer not in found]
            if not missing:
                return found
            if time.monotonic() > deadline:
                raise absent(missing, timeout)
            if time.monotonic() > tell_at:
                tell_at = float("inf")
                say(f"Waiting for {len(missing)} of {len(names(job))} tasks.")
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.2, _LONGEST_PAUSE)


def attempt_name(job: TaskJob) -> str:
    """Return what names this attempt of the job, the same in all its tasks and in no others."""
    uid = job.environ.get("FC_FRAMEWORK_ATTEMPT_INSTANCE_UID") or "0"
    return f"{job.context.job_attempt}-{uid}"


def first_address(job: TaskJob) -> tuple[str, int]:
    """Return host and port of the first task of the first role.

    Raises:
        OpenPaiError: It has none yet, as in jobs without gang allocation.
    """
    role, _ = names(job)[0]
    host, port = address(job, role, 0)
    return host, int(port)
