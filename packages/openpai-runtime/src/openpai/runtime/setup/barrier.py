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
import select
import socket
import time
from typing import Any, Dict, Mapping, Tuple

from openpai.core.errors import OpenPaiError
from openpai.runtime.job import TaskJob, address
from openpai.runtime.log import say

__all__ = [
    "Greetings",
    "absent",
    "attempt_name",
    "first_address",
    "meet",
    "meet_at_port",
    "names",
]


_MOST = 1 << 20


def meet_at_port(job: TaskJob, greeting: Mapping[str, Any], timeout: float) -> Greetings:
    """Meet the other tasks; see :func:`openpai.runtime.setup.barrier.meet`."""
    deadline = time.monotonic() + timeout
    own = (job.context.role, job.context.index)
    host, port = first_address(job)
    if own == names(job)[0]:
        return _Host(job, greeting, deadline, timeout).run(port)
    return _visit(job, greeting, deadline, timeout, (host, port))


class _Host:
    def __init__(
        self, job: TaskJob, greeting: Mapping[str, Any], deadline: float, timeout: float
    ) -> None:
        self._job = job
        self._deadline = deadline
        self._timeout = timeout
        self._met: Greetings = {names(job)[0]: greeting}
        self._guests: dict[socket.socket, bytes] = {}

    def run(self, port: int) -> Greetings:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("", port))
            door.listen(128)
            try:
                self._receive(door)
                self._answer()
            finally:
                for guest in self._guests:
                    guest.close()
        return self._met

    def _receive(self, door: socket.socket) -> None:
        while len(self._met) < len(names(self._job)):
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise absent([n for n in names(self._job) if n not in self._met], self._timeout)
            for ready in select.select([door, *self._guests], [], [], left)[0]:
                if ready is door:
                    self._guests[door.accept()[0]] = b""
                else:
                    self._listen(ready)

    def _listen(self, guest: socket.socket) -> None:
        """Read from a guest; one that hangs up, or is of another job, is sent away."""
        try:
            heard = guest.recv(65536)
        except OSError:
            heard = b""
        text = self._guests[guest] + heard
        self._guests[guest] = text
        if heard and b"\n" not in text and len(text) < _MOST:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = json.loads(text.decode("utf-8")) if heard else {}
            name = (told["role"], told["index"])
            if told["attempt"] == attempt_name(self._job) and name in names(self._job):
                self._met[name] = told["greeting"]
                return
        del self._guests[guest]
        guest.close()

    def _answer(self) -> None:
        told = [[*name, greeting] for name, greeting in self._met.items()]
        answer = json.dumps(told).encode() + b"\n"
        for guest in self._guests:
            with contextlib.suppress(OSError):
                guest.settimeout(5)
                guest.sendall(answer)
        for guest in self._guests:
            with contextlib.suppress(OSError):
                guest.recv(1)  # it hangs up first


def _visit(
    job: TaskJob,
    greeting: Mapping[str, Any],
    deadline: float,
    timeout: float,
    place: Any,
) -> Greetings:
    told = {
        "role": job.context.role,
        "index": job.context.index,
        "attempt": attempt_name(job),
        "greeting": greeting,
    }
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise absent(names(job)[:1], timeout)
        answer = _ask(place, json.dumps(told).encode() + b"\n", left)
        with contextlib.suppress(ValueError, TypeError):
            return {(role, index): said for role, index, said in json.loads(answer.decode())}
        time.sleep(min(_PAUSE, left))


def _ask(place: Any, question: bytes, left: float) -> bytes:
    """Return the answer, or what came of it."""
    pieces: list[bytes] = []
    with contextlib.suppress(OSError), socket.create_connection(place, left) as connection:
        connection.sendall(question)
        while not pieces or not pieces[-1].endswith(b"\n"):
            piece = connection.recv(65536)
            if not piece:
                break
            pieces.append(piece)
    return b"".join(pieces)


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
