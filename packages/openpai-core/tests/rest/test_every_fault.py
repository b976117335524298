"""Every fault on every class of operation: one clear error of the right class, and no secret."""

from __future__ import annotations

import json
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from openpai.core.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    OpenPaiError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from openpai.core.rest import authn, cluster, groups, jobs, tasks
from openpai.core.rest.session import Session

pytestmark = pytest.mark.usefixtures("clock")

TOKEN = "s3cret-token"
LOG = "/log-manager/10.0.0.1:9103/api/v1/logs/user-all?username=alice&token=s3cret-log-token"

OPERATIONS = {
    "open": cluster.get_info,
    "read": lambda s: jobs.get_job(s, "alice~job"),
    "list": jobs.list_jobs,
    "text": lambda s: jobs.get_config(s, "alice~job"),
    "log": lambda s: tasks.read_chunk(s, LOG, 0, 100),
    "submit": lambda s: jobs.submit_job(s, "name: job\nsecrets: {k: s3cret-value}\n"),
    "change": lambda s: jobs.add_tag(s, "alice~job", "tag"),
    "delete": lambda s: authn.revoke_token(s, "s3cret-revoked-token"),
    "login": lambda s: authn.basic_login(s, "alice", "s3cret-password"),
    "admin": lambda s: groups.create_group(s, "group"),
}

# What a server that is well answers to each of them.
GOOD = {
    "open": {"version": "1.8.0"},
    "read": {"name": "job", "jobStatus": {}},
    "list": [],
    "text": {"name": "job"},
    "log": "a line",
    "submit": {"status": 202},
    "change": {"status": 200},
    "delete": {"message": "revoked"},
    "login": {"token": "t"},
    "admin": {"message": "created"},
}


def answer(status, body=b"", kind="application/json", **headers):
    """The bytes of an HTTP answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close"]
    headers.setdefault("Content_Length", len(body))
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


HTML = {"body": b"<html><h1>Sign in</h1></html>", "kind": "text/html"}

# fault → (bytes that are sent, class of the error, words that it has)
FAULTS = {
    "nothing": (b"", ConnectionFailed, "was cut"),
    "garbage": (b"SSH-2.0-OpenSSH_9.2\r\n", ConnectionFailed, "does not speak http"),
    "cut": (answer(200, b'{"a', Content_Length=100), ConnectionFailed, "was cut"),
    "truncated": (answer(200, b'{"a": ["b'), ConnectionFailed, "cut short"),
    "bad gzip": (answer(200, b"not gzip", Content_Encoding="gzip"), ConnectionFailed, "was cut"),
    "expired": (answer(401, b'{"code": "UnauthorizedUserError"}'), AuthenticationError, "401"),
    "forbidden": (answer(403, b'{"code": "ForbiddenUserError"}'), PermissionDeniedError, "403"),
    "too large": (answer(413, b'{"message": "entity too large"}'), ApiError, "too large"),
    "charset": (answer(415, b'{"message": "unsupported charset"}'), ApiError, "unsupported"),
    "limit": (
        answer(429, b"Too many", "text/html", X_RateLimit_Reset=9_999_999_999),
        RateLimitError,
        "429",
    ),
    "crash": (answer(500, b'{"message": "boom"}'), ServerError, "boom"),
    "empty 500": (answer(500, b"{}"), ServerError, "500"),
    "bad gateway": (answer(502, b"<html>502</html>", "text/html"), ServerError, "502"),
    "portal": (answer(200, **HTML), ServerError, "text/html where"),
    "another form": (
        answer(200, b'"maintenance"'),
        ServerError,
        "JSON of another form where PAI's",
    ),
    "circle": (answer(307, Location="/again"), ConnectionFailed, "in a circle"),
}

# Their meaning for a log has its own tests; the text is not inspected.
OTHERWISE = {("log", "forbidden"), ("log", "truncated"), ("text", "truncated")}
# Of these only the status counts, or they are not JSON.
OTHERWISE |= {
    (one, "another form") for one in ("log", "text", "submit", "change", "delete", "admin")
}


class Answering:
    """A server that sends the same bytes to everybody who asks."""

    def __init__(self, data: bytes, stall: float = 0.0, reset: bool = False) -> None:
        self.data = data
        self.stall = stall
        self.reset = reset
        self.methods: list = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            if self.over.is_set():
                connection.close()
                return
            with connection, suppress(OSError):
                connection.settimeout(60)
                self.methods.append(connection.recv(65536).partition(b" ")[0])
                connection.sendall(self.data)
                self.over.wait(self.stall)
                if self.reset:  # closing like this sends a reset
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def close(self) -> None:
        """Answer no more."""
        self.over.set()
        with suppress(OSError):  # let it see that
            socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        self.listener.close()


@pytest.fixture
def answering():
    """Return a function that starts such a server and gives it and a session to it."""
    opened = []

    def start(data, timeout=60, **options):
        server = Answering(data, **options)
        session = Session(server.uri, token=TOKEN, timeout=timeout)
        opened.append((server, session))
        return server, session

    yield start
    for server, session in opened:
        session.close()
        server.close()


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        pytest.param(fault, operation, id=f"{fault}-{operation}")
        for fault in FAULTS
        for operation in OPERATIONS
        if (operation, fault) not in OTHERWISE
    ],
)
def test_fault_raises_one_clear_error(fault, operation, answering):
    """Of the class that its kind has, in one sentence, and telling no secret."""
    data, kind, words = FAULTS[fault]
    _, session = answering(data)
    with pytest.raises(kind) as caught:
        OPERATIONS[operation](session)
    text = f"{caught.value!s} {caught.value!r} {vars(caught.value)}"
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert "s3cret" not in text
    assert caught.value.hint or isinstance(caught.value, ApiError)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_silence_times_out(operation, answering):
    """A login can hang forever on a real server."""
    _, session = answering(b"", stall=600, timeout=0.2)
    with pytest.raises(ConnectionFailed, match="no answer in time"):
        OPERATIONS[operation](session)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_refused_connection_raises(operation):
    """With the question whether the address is right."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    session = Session(f"http://127.0.0.1:{port}")
    with pytest.raises(ConnectionFailed, match="refused"):
        OPERATIONS[operation](session)
    session.close()


class Slow(Answering):
    """Sends an answer in four parts, which take longer than the time-out, but not one of them."""

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            size = len(self.data) // 4 + 1
            for start in range(0, len(self.data), size):
                connection.sendall(self.data[start : start + size])
                self.over.wait(1.1)


def test_slow_answer_is_read():
    """Each part of an answer has the whole time."""

    def do(operation):
        good = GOOD[operation]
        text, kind = (good, "text/plain") if isinstance(good, str) else (json.dumps(good), "")
        server = Slow(answer(200, text.encode(), kind or "application/json"))
        with Session(server.uri, token=TOKEN, timeout=3) as session:
            OPERATIONS[operation](session)
        server.close()

    with ThreadPoolExecutor(len(OPERATIONS)) as pool:
        list(pool.map(do, OPERATIONS))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_reset_during_answer_raises(operation, answering):
    """The server, or something on the way, drops the connection."""
    _, session = answering(answer(200, b'{"a', Content_Length=100), stall=0.02, reset=True)
    with pytest.raises(ConnectionFailed, match="was cut"):
        OPERATIONS[operation](session)


SAFE = ("open", "read", "list", "text", "log", "change", "delete", "login")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_safe_operations_are_repeated(operation, answering):
    """Submissions and an admin's calls are not: first it is asked what became of them."""
    server, session = answering(FAULTS["bad gateway"][0])
    with pytest.raises(ServerError):
        OPERATIONS[operation](session)
    assert (server.methods.count(server.methods[0]) > 1) == (operation in SAFE)


def test_all_errors_are_openpai_errors():
    assert all(issubclass(kind, OpenPaiError) for _, kind, _ in FAULTS.values())
