"""Tasks meet at a port of the first one.

The first task listens, the others connect and tell their greetings in a line of JSON; when all have
come, each gets all greetings in a line, and only then hangs up. So nobody leaves before everybody
has come, and the port is free again for the command (whoever hangs up first keeps it busy, and
that is not the first task).
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from typing import Any, Mapping

from openpai.runtime.job import TaskJob
from openpai.runtime.peers import Greetings, absent, attempt_name, first_address, names

__all__ = ["meet_at_port"]

_PAUSE = 0.2
_MOST = 1 << 20


def meet_at_port(job: TaskJob, greeting: Mapping[str, Any], timeout: float) -> Greetings:
    """Meet the other tasks; see :func:`openpai.runtime.peers.meet`."""
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
