"""The mock PAI server: the local cluster's application in pytest-httpserver, faults in front."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from openpai.core import Cluster, Job
from openpai.core.local import LocalCluster
from openpai.core.local.api.app import create_app

#: Takes the request and a function that asks the real application; answers instead of it.
Fault = Callable[[Request, Callable[[], Response]], Response]


class MockPai:
    """A PAI server that fails on request; each fault counts how often it struck.

    Attributes:
        uri: Its address.
        struck: How many requests met a fault.
    """

    def __init__(self, server: HTTPServer, local: LocalCluster) -> None:
        self.uri = server.url_for("").rstrip("/")
        self.struck = 0
        self._application = create_app(local.host.service)
        self._faults: list[tuple[str, re.Pattern[str], Fault]] = []
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def fail(self, method: str, path: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests of this method whose path matches meet a fault."""
        self._faults += [(method, re.compile(path), fault)] * times

    def _answer(self, request: Request) -> Response:
        def real() -> Response:
            body = io.BytesIO(request.get_data())  # pytest-httpserver has read the stream
            return Response.from_app(self._application, {**request.environ, "wsgi.input": body})

        for row in self._faults:
            method, path, fault = row
            if request.method == method and path.search(request.path):
                self._faults.remove(row)
                self.struck += 1
                return fault(request, real)
        return real()


def answer(status: int, body: str = "", content_type: str = "text/html") -> Fault:
    """The request is not passed on; this is answered."""
    return lambda request, real: Response(body, status, content_type=content_type)


def cut(request: Request, real: Callable[[], Response]) -> Response:
    """The connection is cut before the request is looked at."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response("")


def lose_answer(request: Request, real: Callable[[], Response]) -> Response:
    """The request takes effect; its answer is lost on the way."""
    real()
    return cut(request, real)


def fail_after(status: int) -> Fault:
    """The request takes effect; the answer says that it failed."""

    def fault(request: Request, real: Callable[[], Response]) -> Response:
        real()
        return Response('{"message": "something broke"}', status, content_type="application/json")

    return fault


@pytest.fixture
def faults() -> object:
    """What can go wrong."""

    class Faults:
        pass

    found = Faults()
    found.answer, found.cut = answer, cut
    found.lose_answer, found.fail_after = lose_answer, fail_after
    return found


@pytest.fixture
def local() -> Iterator[LocalCluster]:
    """The cluster behind the mock server."""
    with LocalCluster() as cluster:
        yield cluster


@pytest.fixture
def mock_pai(httpserver: HTTPServer, local: LocalCluster) -> MockPai:
    """The mock PAI server."""
    return MockPai(httpserver, local)


@pytest.fixture
def cluster(mock_pai: MockPai, local: LocalCluster) -> Iterator[Cluster]:
    """A client of the mock PAI server."""
    with Cluster(mock_pai.uri, user=local.user, token=local.token) as client:
        yield client


@pytest.fixture
def make_job() -> Callable[..., Job]:
    """Make a small job."""

    def make(name: str, command: str = "true") -> Job:
        return Job.from_dict(
            {
                "protocolVersion": 2,
                "name": name,
                "type": "job",
                "prerequisites": [{"name": "image", "type": "dockerimage", "uri": "python:3.11"}],
                "taskRoles": {
                    "main": {
                        "instances": 1,
                        "dockerImage": "image",
                        "resourcePerInstance": {"cpu": 1, "memoryMB": 64, "gpu": 0},
                        "commands": [command],
                    }
                },
            }
        )

    return make
