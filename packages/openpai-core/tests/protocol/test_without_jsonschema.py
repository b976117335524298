"""Jobs where the extra ``openpai-core[validation]`` is not installed."""

from __future__ import annotations

import sys

import pytest

from openpai.core import Cluster, Job
from openpai.core.errors import ApiError, OpenPaiError, ProtocolError
from openpai.core.protocol import can_validate, schema


@pytest.fixture
def _no_jsonschema(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    schema._validator_class.cache_clear()
    yield
    schema._validator_class.cache_clear()


@pytest.mark.usefixtures("_no_jsonschema")
def test_validate_names_extra():
    """The error says what to install."""
    job = Job("a").image("x:1").role("w", "echo hello")
    assert not can_validate()
    with pytest.raises(OpenPaiError, match=r"pip install 'openpai-core\[validation\]'") as caught:
        job.validate()
    assert not isinstance(caught.value, ProtocolError)


@pytest.mark.usefixtures("_no_jsonschema")
def test_submit_leaves_verdict_to_server(httpserver):
    """The job is sent, and the error is the server's."""
    answer = {"code": "InvalidProtocolError", "message": "no such image"}
    httpserver.expect_request("/rest-server/api/v2/jobs", method="POST").respond_with_json(
        answer, 400
    )
    job = Job("a").role("w", "echo hello")
    with Cluster(httpserver.url_for("/"), user="alice", token="t") as cluster, pytest.raises(
        ApiError, match="no such image"
    ):
        cluster.submit(job)


def test_extra_is_found():
    """With it, jobs are validated."""
    assert can_validate()
    assert Job("a").image("x:1").role("w", "echo hello").problems() == []
