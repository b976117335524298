"""Fixtures of core's tests: recorded facts, job documents, a local cluster, a folder storage."""

from __future__ import annotations

import copy
import gzip
import json
import os
import ssl
import stat
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, settings
from pytest_httpserver import HTTPServer
from support.gate import Gate, Steps
from support.http_proxy import FaultyProxy
from werkzeug import Response

from openpai.core.rest.session import Session
from openpai.core.storage.local import LocalStorage

DATA = Path(__file__).resolve().parent / "data"

settings.register_profile(
    "ordinary", max_examples=100, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("full", settings.get_profile("ordinary"), max_examples=10_000)
settings.load_profile(os.environ.get("OPENPAI_HYPOTHESIS_PROFILE", "ordinary"))


@pytest.fixture(scope="session")
def recordings() -> dict:
    """Exchanges with a real rest-server v1.8: name → {"request": …, "response": …}."""
    return {item["name"]: item for item in _load("recordings.json.gz")}


def _load(name: str) -> Any:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="session")
def corpus() -> list[dict[str, Any]]:
    """Job documents with the real server's verdicts, messages and scripts."""
    return _load("protocol-corpus.json.gz")


@pytest.fixture(scope="session")
def functions() -> dict[str, Any]:
    """Input and output of the server's own functions."""
    return _load("protocol-functions.json.gz")


@pytest.fixture(scope="session")
def framework_requests() -> list[dict[str, Any]]:
    """What the real server asked Kubernetes for, for some jobs."""
    return _load("framework-requests.json.gz")


@pytest.fixture(scope="session")
def hived() -> list[dict[str, Any]]:
    """Job documents with the verdict of a real server that has HiveD."""
    return _load("protocol-hived.json.gz")


@pytest.fixture(scope="session")
def job_files() -> list[Path]:
    """The 31 job files of PAI's own examples and marketplace (microsoft/pai, MIT)."""
    return sorted((DATA / "jobs").glob("*.yaml"))


_MINIMAL: dict[str, Any] = {
    "protocolVersion": 2,
    "name": "mini",
    "type": "job",
    "prerequisites": [{"name": "img", "type": "dockerimage", "uri": "openpai/standard:1"}],
    "taskRoles": {
        "worker": {
            "instances": 1,
            "dockerImage": "img",
            "resourcePerInstance": {"cpu": 1, "memoryMB": 1024, "gpu": 0},
            "commands": ["echo hello"],
        }
    },
}


@pytest.fixture
def minimal() -> dict[str, Any]:
    """The smallest job that strict mode takes; change it as you like."""
    return copy.deepcopy(_MINIMAL)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A closed gate for a job."""
    return Gate(tmp_path / "gate")


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    """Steps for a job's loop."""
    return Steps(tmp_path / "steps")


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
    """A proxy in front of the local cluster that injects faults into chosen requests."""
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


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """Return an empty storage named ``main``."""
    root = tmp_path / "storage"
    root.mkdir()
    return LocalStorage(root, "main")


@pytest.fixture(scope="session")
def picture() -> Callable[[Path], dict[str, object]]:
    """Return a function from a folder to all that is to be kept of it.

    A file is (content, permission bits, microseconds of its last change), a folder is ``None``.
    """

    def look(root: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for path in root.rglob("*"):
            info = path.stat()
            name = os.fsdecode(path.relative_to(root))
            kept = path.is_file() and (
                path.read_bytes(),
                stat.S_IMODE(info.st_mode),
                info.st_mtime_ns // 1000,
            )
            found[name] = kept or None
        return found

    return look
