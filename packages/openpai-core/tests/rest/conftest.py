"""What the tests of the REST client share: real exchanges, replayed over real HTTP."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Response

from openpai.core.rest.session import Session

DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture(scope="session")
def operations() -> list:
    """Every operation of the REST API: its function, and how it is tested."""
    return json.loads((DATA / "operations.json").read_text(encoding="utf-8"))


class Clock:
    """The module ``time`` where sleeping takes no time."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self.ahead

    def monotonic(self) -> float:
        """Return the seconds since some moment."""
        return time.monotonic() + self.ahead

    def sleep(self, seconds) -> None:
        """Let the time pass."""
        self.ahead += seconds


@pytest.fixture
def clock(monkeypatch):
    """A clock of the client that skips all pauses between two attempts."""
    clock = Clock()
    for module in ("rest.session", "retry"):
        monkeypatch.setattr(f"openpai.core.{module}.time", clock)
    return clock


@pytest.fixture
def session(httpserver):
    """A session to a test server."""
    session = Session(httpserver.url_for("").rstrip("/"), token="t0ken", timeout=60)
    yield session
    session.close()


@pytest.fixture
def replay(httpserver, recordings):
    """Answer exactly the request of a recorded exchange with its recorded answer."""

    def expect(name: str) -> dict:
        recorded = recordings[name]
        wanted, answer = recorded["request"], recorded["response"]
        path = wanted["path"]
        body = wanted.get("body")
        httpserver.expect_request(
            path if path.startswith(("/rest-server", "/log-manager")) else f"/rest-server{path}",
            method=wanted["method"],
            query_string=_query(wanted.get("query")),
            **({"json": body} if isinstance(body, dict) else {"data": body}),
        ).respond_with_response(_response(answer))
        return recorded

    return expect


def _query(query) -> str | dict:
    if isinstance(query, dict):
        return {key: str(value) for key, value in query.items()}
    return query or ""


def _response(answer: dict) -> Response:
    body = json.dumps(answer["json"]) if "json" in answer else answer["text"]
    response = Response(body, answer["status"])
    for name, value in answer["headers"].items():
        response.headers[name] = value
    return response


@pytest.fixture
def https():
    """Return a function that starts an https server with one of the certificates."""
    started = []

    def start(certificate="server.pem"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(DATA / "tls" / certificate)
        server = HTTPServer(ssl_context=context)
        server.start()
        started.append(server)
        server.expect_request("/rest-server/api/v2/info").respond_with_json({"version": "1.8.0"})
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def local():
    """A local cluster that the tests of this folder share; their jobs have different names."""
    from openpai.core.local import LocalCluster

    with LocalCluster(cpus=16, memory_mb=16000) as running:
        yield running


@pytest.fixture
def cluster(local):
    """That cluster, as a script uses it."""
    from openpai.core import Cluster

    with Cluster(local.uri, user=local.user, token=local.token, timeout=60) as cluster:
        yield cluster


@pytest.fixture
def proxy(local):
    """A proxy in front of the local cluster that does as it is told to some requests."""
    with FaultyProxy(local.uri) as running:
        yield running


@pytest.fixture
def through_proxy(local, proxy):
    """The local cluster, seen through the proxy."""
    from openpai.core import Cluster

    with Cluster(proxy.uri, user=local.user, token=local.token, timeout=60) as cluster:
        cluster.info()
        yield cluster


@pytest.fixture
def make_job():
    """Return a function that makes a small job of a name that no other test uses."""
    from openpai.core.protocol.command_job import job_from_command, random_letters

    def make(*commands: str, name: str = "", **options):
        name = name or f"t_{random_letters(10)}"
        options = {"image": "any", "cpu": 1, "memory_mb": 64, **options}
        return job_from_command(name, list(commands) or ["true"], **options)

    return make


class FaultyProxy:
    """An HTTP proxy in one place of which things go wrong.

    ``fail(method, path, how, …)`` puts a fault in the way of the next requests that fit:

    - ``refuse``: hang up before the request goes on
    - ``lose``: let the server act, and hang up instead of answering
    - ``answer``: let the server act, and answer with something else
    - ``instead``: answer with something else, and let the server know nothing
    - ``cut``: let the server act, and hang up in the middle of its answer
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.date = None  # what the answers' Date says instead of the truth
        self.faults: list = []
        self.seen: list = []

    def fail(self, method, path, how, *, times=1, status=502, body=b"", headers=None) -> None:
        """Put a fault in the way of the next ``times`` requests whose path matches."""
        fault = {"method": method, "path": re.compile(path), "how": how, "times": times}
        self.faults.append({**fault, "status": status, "body": body, "headers": headers or {}})

    def count(self, method, path) -> int:
        """How many requests came that fit."""
        return sum(m == method and re.search(path, p) is not None for m, p in self.seen)

    @property
    def pending(self) -> int:
        """The number of requests that faults still wait for."""
        return sum(fault["times"] for fault in self.faults)

    def fault_for(self, method, path):
        """Take the fault that is meant for this request, if any."""
        for fault in self.faults:
            if fault["method"] == method and fault["path"].search(path) and fault["times"] > 0:
                fault["times"] -= 1
                return fault
        return None

    def __enter__(self) -> FaultyProxy:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.proxy = self
        self.uri = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *error) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.seen.append((self.command, self.path))
        fault = proxy.fault_for(self.command, self.path) or {"how": ""}
        if fault["how"] == "refuse":
            return self._hang_up()
        if fault["how"] == "instead":
            return self._answer(fault["status"], fault["headers"], fault["body"])
        headers = {k: v for k, v in self.headers.items() if k.lower() != "accept-encoding"}
        answer = requests.request(
            self.command,
            proxy.upstream + self.path,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=60,
            proxies={"http": ""},
        )
        if fault["how"] == "lose":
            return self._hang_up()
        if fault["how"] == "answer":
            return self._answer(fault["status"], fault["headers"], fault["body"])
        cut = len(answer.content) // 2 if fault["how"] == "cut" else None
        dated = {"Date": proxy.date} if proxy.date else {}
        return self._answer(answer.status_code, {**answer.headers, **dated}, answer.content, cut)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - named by the library

    def _answer(self, status, headers, body, cut=None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
