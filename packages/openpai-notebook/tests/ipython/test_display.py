"""How the objects of core look in a notebook."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from IPython.core.formatters import DisplayFormatter

from openpai.core.client.cluster import Cluster
from openpai.core.protocol.command_job import job_from_command
from openpai.core.rest.models import JobDetail
from openpai.core.storage.base import StorageSpec
from openpai.notebook.ipython.display import detail_html, detail_text, register

DETAIL = JobDetail(
    {
        "name": "a<b>",
        "jobStatus": {"username": "me", "state": "RUNNING"},
        "taskRoles": {
            "main": {"taskStatuses": [{"taskIndex": 0, "taskState": "RUNNING"}]},
        },
    }
)


@pytest.fixture
def shown():
    """Return the HTML that IPython shows of an object once the display is registered."""
    formatter = DisplayFormatter()
    register(SimpleNamespace(display_formatter=formatter))

    def show(value: object) -> str | None:
        return formatter.format(value)[0].get("text/html")

    return show


def test_cluster_shows_as_table(shown):
    """A cluster shows its alias and address, and no secret."""
    with Cluster("http://127.0.0.1:9", user="me", token="hidden-token", alias="mine") as cluster:
        html = shown(cluster)
    assert "mine" in html
    assert "http://127.0.0.1:9" in html
    assert "hidden-token" not in html


def test_job_shows_description_without_secrets(shown):
    """A job shows its YAML; what it keeps secret is masked as the server masks it."""
    job = job_from_command("plain", ["true"], image="some/image")
    document = job.to_dict()
    document["secrets"] = {"password": "hidden-password"}
    html = shown(type(job).from_dict(document))
    assert "some/image" in html
    assert "hidden-password" not in html


def test_storage_shows_no_keys(shown):
    """What a storage needs to be reached may hold keys, and is not shown."""
    html = shown(StorageSpec("team", "azureBlob", {"key": "hidden-key"}))
    assert "azureBlob" in html
    assert "hidden-key" not in html


def test_unreachable_job_shows_as_text(shown):
    """A job whose cluster is away is shown as text, and raises nothing."""
    with Cluster("http://127.0.0.1:9", user="me", token="t", timeout=1) as cluster:
        assert shown(cluster.job("gone")) is None


def test_detail_html_escapes_text():
    """Neither a job's name nor its log can bring HTML into the notebook."""
    html = detail_html(DETAIL, ["<script>alert(1)</script>"])
    assert "a&lt;b&gt;" in html
    assert "<script>" not in html


def test_detail_text_shows_state_and_log():
    """Where HTML is not shown, state, progress, tasks and log are there as text."""
    first, *rest = detail_text(DETAIL, ["last line"], "2 of 5").splitlines()
    assert first.startswith("me~a<b>: RUNNING, cell 2 of 5, ")
    assert rest == ["  main-0: RUNNING", "last line"]


def test_detail_text_dates_state():
    """A notebook keeps when a running job was last seen, and how a finished one ended."""
    ended = {"username": "me", "state": "FAILED", "appExitCode": 3}
    times = {"launchedTime": 1_700_000_000_000, "completedTime": 1_700_000_061_000}
    assert re.search(r", seen 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", detail_text(DETAIL))
    reported = detail_text(JobDetail({"name": "a", "jobStatus": {**ended, **times}}))
    assert reported == "me~a: FAILED, exit code 3, duration 0:01:01"
