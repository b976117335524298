"""What the tests of the REST client share: real exchanges, replayed over real HTTP."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from werkzeug import Response

from openpai.core.rest.session import Session

DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture(scope="session")
def recordings() -> dict:
    """Exchanges with a real rest-server v1.8: name → {"request": …, "response": …}."""
    found = json.loads(gzip.decompress((DATA / "recordings.json.gz").read_bytes()))
    return {item["name"]: item for item in found}


@pytest.fixture(scope="session")
def operations() -> list:
    """Every operation of the REST API: its function, and how it is tested."""
    return json.loads((DATA / "operations.json").read_text(encoding="utf-8"))


@pytest.fixture
def session(httpserver):
    """A session to a test server."""
    session = Session(httpserver.url_for("").rstrip("/"), token="t0ken", timeout=5)
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
