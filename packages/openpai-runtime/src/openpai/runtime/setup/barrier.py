"""Barrier: wait until all tasks of a job are ready to start their commands.

PAI's gang allocation only ensures that every task has a node, not that its process runs. Each task
announces itself as a file in the workspace, or, in a job without a workspace, over a connection to
a port of the first task. Each attempt of the job has announcements of its own; a task that is
restarted within an attempt replaces its own and finds those of the others.
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
from openpai.runtime.log import log

__all__ = ["Announcements", "wait_for_all"]

Peer = Tuple[str, int]
Announcements = Dict[Peer, Mapping[str, Any]]

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_LOG_AFTER = 30.0
_REPLY_TIMEOUT = 5.0
_MAX_BYTES = 1 << 20
_CHUNK = 1 << 16


def wait_for_all(
    job: TaskJob, announcement: Mapping[str, Any], timeout: float, name: str = "ready"
) -> Announcements:
    """Announce this task; return the announcements of all tasks once they are complete.

    Args:
        job: The task.
        announcement: Data for the other tasks, which JSON can represent.
        timeout: Seconds to wait for the others.
        name: Name of the barrier, as a task may pass several.

    Raises:
        OpenPaiError: Some tasks are missing after the timeout.
        OSError: The workspace cannot be used.
    """
    barrier = _Barrier(job, announcement, timeout)
    if job.folder:
        return _wait_in_workspace(barrier, name)
    if barrier.own == barrier.peers[0]:
        return _Coordinator(barrier).run()
    return _join(barrier)


class _Barrier:
    """State of both transports: tasks, attempt, time left."""

    def __init__(self, job: TaskJob, announcement: Mapping[str, Any], timeout: float) -> None:
        self.job = job
        self.announcement = announcement
        self.own: Peer = (job.context.role, job.context.index)
        self.peers = [(role, index) for role, n in job.instances.items() for index in range(n)]
        # The same in all tasks of an attempt, and in no other attempt.
        uid = job.environ.get("FC_FRAMEWORK_ATTEMPT_INSTANCE_UID") or "0"
        self.attempt = f"{job.context.job_attempt}-{uid}"
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def missing(self, found: Announcements) -> list[Peer]:
        """Return the tasks without an announcement."""
        return [peer for peer in self.peers if peer not in found]

    def time_left(self, missing: list[Peer]) -> float:
        """Return the seconds left.

        Raises:
            OpenPaiError: There are none; names some of the missing tasks.
        """
        left = self._deadline - time.monotonic()
        if left > 0:
            return left
        names = ", ".join(f"{role}-{index}" for role, index in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise OpenPaiError(
            f"Not all tasks are up after {self._timeout:g} s: {names}{more} did not come.",
            "Look at their logs, or raise waitForPeers.",
        )

    def coordinator(self) -> tuple[str, int]:
        """Return host and port of the first task.

        Raises:
            OpenPaiError: They are unknown, as in jobs without gang allocation.
        """
        host, port = address(self.job, *self.peers[0])
        return host, int(port)


def _wait_in_workspace(barrier: _Barrier, name: str) -> Announcements:
    assert barrier.job.folder
    folder = posixpath.join(barrier.job.folder.path, "peers", barrier.attempt, name)
    log_at = time.monotonic() + _LOG_AFTER
    pause = _FIRST_PAUSE
    found: Announcements = {}
    with barrier.job.workspace_storage() as storage:
        with storage.open_write(_file(folder, barrier.own)) as stream:
            stream.write(json.dumps(barrier.announcement).encode())
        while True:
            for peer in barrier.missing(found):
                path = _file(folder, peer)
                missing_or_partial = contextlib.suppress(FileNotFoundError, ValueError)
                with missing_or_partial, storage.open_read(path) as stream:
                    found[peer] = json.loads(stream.read().decode())
            missing = barrier.missing(found)
            if not missing:
                return found
            left = barrier.time_left(missing)
            if time.monotonic() > log_at:
                log_at = float("inf")
                log(f"Waiting for {len(missing)} of {len(barrier.peers)} tasks.")
            time.sleep(min(pause, left))
            pause = min(pause * 1.2, _LONGEST_PAUSE)


def _file(folder: str, peer: Peer) -> str:
    role, index = peer
    return posixpath.join(folder, f"{role}-{index}.json")


class _Coordinator:
    """The first task: collects the announcements at its port, then sends all of them to all."""

    def __init__(self, barrier: _Barrier) -> None:
        self._barrier = barrier
        self._found: Announcements = {barrier.own: barrier.announcement}
        self._clients: dict[socket.socket, bytes] = {}

    def run(self) -> Announcements:
        _, port = self._barrier.coordinator()
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("", port))
            server.listen(128)
            try:
                self._collect(server)
                self._reply()
            finally:
                for client in self._clients:
                    client.close()
        return self._found

    def _collect(self, server: socket.socket) -> None:
        while True:
            missing = self._barrier.missing(self._found)
            if not missing:
                return
            left = self._barrier.time_left(missing)
            for ready in select.select([server, *self._clients], [], [], left)[0]:
                if ready is server:
                    self._clients[server.accept()[0]] = b""
                else:
                    self._receive(ready)

    def _receive(self, client: socket.socket) -> None:
        """Read from a client; close the connection if it is invalid or of another attempt."""
        try:
            chunk = client.recv(_CHUNK)
        except OSError:
            chunk = b""
        text = self._clients[client] + chunk
        self._clients[client] = text
        if chunk and b"\n" not in text and len(text) < _MAX_BYTES:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError):
            message = json.loads(text.decode("utf-8")) if chunk else {}
            peer = (message["role"], message["index"])
            if message["attempt"] == self._barrier.attempt and peer in self._barrier.peers:
                self._found[peer] = message["greeting"]
                return
        del self._clients[client]
        client.close()

    def _reply(self) -> None:
        rows = [[*peer, announcement] for peer, announcement in self._found.items()]
        reply = json.dumps(rows).encode() + b"\n"
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.settimeout(_REPLY_TIMEOUT)
                client.sendall(reply)
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.recv(1)  # the client closes first, so that the port is free at once


def _join(barrier: _Barrier) -> Announcements:
    """Send the announcement to the coordinator, until it replies with all of them."""
    role, index = barrier.own
    message = {
        "role": role,
        "index": index,
        "attempt": barrier.attempt,
        "greeting": barrier.announcement,
    }
    coordinator = barrier.coordinator()
    while True:
        left = barrier.time_left(barrier.peers[:1])
        reply = _request(coordinator, json.dumps(message).encode() + b"\n", left)
        with contextlib.suppress(ValueError, TypeError):
            return {(role, index): data for role, index, data in json.loads(reply.decode())}
        time.sleep(min(_FIRST_PAUSE, left))


def _request(coordinator: tuple[str, int], message: bytes, timeout: float) -> bytes:
    """Return the reply, or the part that arrived before the connection failed."""
    chunks: list[bytes] = []
    with contextlib.suppress(OSError), socket.create_connection(coordinator, timeout) as connection:
        connection.sendall(message)
        while not chunks or not chunks[-1].endswith(b"\n"):
            chunk = connection.recv(_CHUNK)
            if not chunk:
                break
            chunks.append(chunk)
    return b"".join(chunks)
