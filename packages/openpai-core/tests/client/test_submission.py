"""A job is submitted exactly once, whatever happens to the answer on its way."""

from __future__ import annotations

import json
import threading

import pytest

from openpai.core import Cluster
from openpai.core.client.submit import has_config, submit_once
from openpai.core.errors import (
    ConflictError,
    ConnectionFailed,
    NotFoundError,
    ProtocolError,
    ServerError,
)
from openpai.core.protocol.job_yaml import load_yaml
from openpai.core.rest.jobs import list_jobs

pytestmark = pytest.mark.usefixtures("clock")

POST = ("POST", "/jobs$")


def count(cluster, job):
    """How many jobs of this name the cluster has."""
    found = list_jobs(cluster.session, username=cluster.user, keyword=job.name)
    return sum(item.name == job.name for item in found)


def test_submitted_job_is_readable_at_once(cluster, make_job):
    """202 means recorded."""
    job = make_job("echo hello")
    remote = cluster.submit(job)
    assert (remote.user, remote.name) == (cluster.user, job.name)
    assert remote.config().document == job.document


@pytest.mark.process
@pytest.mark.parametrize(
    "fault",
    [
        {"how": "lose"},
        {"how": "cut"},
        {"how": "answer", "status": 502, "body": b"<html>Bad gateway</html>"},
        {"how": "answer", "status": 504, "body": b""},
        {"how": "answer", "status": 500, "body": b'{"message": "boom"}'},
        {"how": "answer", "status": 404, "body": b'{"code": "NoJobError", "message": "no"}'},
    ],
    ids=["lost", "cut", "502", "504", "500", "404"],
)
def test_damaged_answer_leaves_one_job_and_no_error(through_proxy, proxy, make_job, fault):
    """The job was recorded; the client asks, and does not send it again."""
    job = make_job()
    proxy.fail(*POST, **fault)
    remote = through_proxy.submit(job)
    assert remote.status().name == job.name
    assert count(through_proxy, job) == 1
    assert proxy.count(*POST) == 1


@pytest.mark.process
@pytest.mark.parametrize(
    "fault", [{"how": "refuse"}, {"how": "instead", "status": 503}], ids=["cut", "503"]
)
def test_request_that_never_arrived_is_repeated(through_proxy, proxy, make_job, fault):
    """The server knows no such job, so sending it again is safe."""
    job = make_job()
    proxy.fail(*POST, **fault, times=2)
    through_proxy.submit(job)
    assert count(through_proxy, job) == 1
    assert proxy.count(*POST) == 3


@pytest.mark.process
def test_conflict_with_own_first_request_is_success(through_proxy, proxy, make_job):
    """The first try is lost and nobody can be asked; the second one meets the first one's job."""
    job = make_job()
    proxy.fail(*POST, "lose")
    proxy.fail("GET", "/config$", "instead", status=404, body=b'{"code": "NoJobError"}')
    through_proxy.submit(job)
    assert count(through_proxy, job) == 1
    assert proxy.count(*POST) == 2


@pytest.mark.process
def test_other_job_of_same_name_is_conflict(cluster, make_job):
    """Names are single-use."""
    cluster.submit(make_job("echo one", name="taken"))
    with pytest.raises(ConflictError):
        cluster.submit(make_job("echo two", name="taken"))


def test_same_job_again_is_conflict(cluster, make_job):
    """Nothing was lost here: somebody submits the same name a second time."""
    job = make_job()
    cluster.submit(job)
    with pytest.raises(ConflictError):
        cluster.submit(job)


@pytest.mark.process
def test_taken_name_after_lost_answer_is_conflict(through_proxy, proxy, make_job):
    """The job of that name has another config, so it is not ours."""
    through_proxy.submit(make_job("echo one", name="taken_too"))
    proxy.fail(*POST, "lose")
    with pytest.raises(ConflictError):
        through_proxy.submit(make_job("echo two", name="taken_too"))


def test_server_refusal_is_raised(through_proxy, proxy, make_job):
    """404 NoStorageError comes for jobs that were not recorded."""
    job = make_job()
    job.document["extras"] = {"storages": [{"name": "no-such-storage"}]}
    with pytest.raises(NotFoundError, match="no-such-storage"):
        through_proxy.submit(job)
    assert proxy.count(*POST) == 1
    assert count(through_proxy, job) == 0


def test_plain_500_is_not_repeated(through_proxy, proxy, make_job):
    """rest-server answers 500 to jobs that it can never accept."""
    proxy.fail(*POST, "instead", status=500, body=b'{"message": "Invalid tag"}')
    with pytest.raises(ServerError, match="Invalid tag"):
        through_proxy.submit(make_job())
    assert proxy.count(*POST) == 1


@pytest.mark.process
def test_unverifiable_submission_raises(local, proxy, make_job):
    """It is neither called recorded nor refused."""
    from openpai.core.rest.session import Session

    proxy.fail(*POST, "lose")
    proxy.fail("GET", "/config$", "refuse", times=100)
    session = Session(proxy.uri, token=local.token, timeout=60)
    job = make_job()
    with pytest.raises(ConnectionFailed, match="may or may not have been recorded"):
        submit_once(session, f"{local.user}~{job.name}", job.to_yaml(), seconds=0.1)
    session.close()


@pytest.mark.process
def test_known_cluster_is_asked_until_it_answers(local, proxy, make_job):
    """The first call of a process is cut, and nobody can be asked for longer than a moment."""
    with Cluster(proxy.uri, user=local.user, token=local.token, timeout=60) as cluster:
        cluster.session.known = True
        job = make_job()
        proxy.fail(*POST, "lose")
        proxy.fail("GET", "/config$", "refuse", times=13)
        cluster.submit(job)
        assert count(cluster, job) == 1
    assert proxy.count("GET", "/config$") > 13


def test_portal_answering_everything_is_refused(httpserver, make_job):
    """A page with status 200 does not mean that the job was recorded."""
    from openpai.core import Cluster

    httpserver.expect_request("/rest-server/api/v2/jobs").respond_with_data(
        "<html>Log in</html>", content_type="text/html"
    )
    cluster = Cluster(httpserver.url_for("/"), user="alice", token="t")
    with cluster, pytest.raises(ServerError, match="text/html where JSON was expected"):
        cluster.submit(make_job())


def test_too_large_job_is_not_sent(through_proxy, proxy, make_job):
    """The server would answer 413 without a word on what to do."""
    with pytest.raises(ProtocolError, match="more than 100 KiB"):
        through_proxy.submit(make_job("echo " + "x" * 102_400))
    assert proxy.count(*POST) == 0


@pytest.mark.process
def test_lost_submission_race_raises_conflict(through_proxy, proxy, cluster, make_job):
    """The server accepts both under one name and keeps the last one."""
    mine, theirs = make_job("echo mine", name="raced"), make_job("echo theirs", name="raced")
    cluster.submit(theirs)
    proxy.fail(*POST, "instead", status=202, body=b'{"status": 202, "message": "ok"}')
    with pytest.raises(ConflictError, match="in the same moment"):
        through_proxy.submit(mine)


@pytest.mark.process
def test_concurrent_submissions_leave_one_job(cluster, make_job):
    """The later ones get a conflict; the job is the one that all submitted."""
    job = make_job()
    outcomes = []

    def submit():
        try:
            cluster.submit(job)
            outcomes.append("submitted")
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert outcomes.count("submitted") >= 1
    assert count(cluster, job) == 1


@pytest.fixture
def stored(httpserver):
    """Return a function that lets a server show a config of the job a~j."""

    def show(body, kind="application/json"):
        httpserver.clear()
        httpserver.expect_request("/rest-server/api/v2/jobs/a~j/config").respond_with_data(
            body, content_type=kind
        )

    return show


def test_recorded_configs_match_sent_jobs(recordings, session, stored):
    """What a real server stores of a job is compared with what the client sent, secrets masked."""
    sent = {}
    for item in recordings.values():
        if item["operationId"] == "createJob" and item["response"]["status"] == 202:
            document = load_yaml(item["request"]["body"])
            if isinstance(document, dict):  # bodies near the size limit were not kept
                sent[document["name"]] = item["request"]["body"]
    compared = 0
    for item in recordings.values():
        if item["operationId"] != "getJobConfig" or item["response"]["status"] != 200:
            continue
        config = item["response"]["json"]
        if config["name"] in sent and config["name"] != "x_latin1":  # sent in another charset
            stored(json.dumps(config))
            assert has_config(session, "a~j", sent[config["name"]])
            compared += 1
    assert compared >= 8


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a: 1.0", '{"a": 1}'),
        ("a: 2001-12-14", '{"a": "2001-12-14T00:00:00.000Z"}'),
        ("a: .inf", '{"a": null}'),
        ("b: 1\na: [x, ~]", '{"a": ["x", null], "b": 1}'),
        ("a: !!binary aGk=", '{"a": {"type": "Buffer", "data": [104, 105]}}'),
    ],
)
def test_equivalent_json_values_match(sent, shown, session, stored):
    """The server stores YAML and shows JSON."""
    stored(shown)
    assert has_config(session, "a~j", sent)
    stored('{"a": "another"}')
    assert not has_config(session, "a~j", sent)


def test_different_value_does_not_match(cluster, make_job):
    """One number is enough."""
    job = make_job("echo <% $parameters.n %>")
    job.document["parameters"] = {"n": 1}
    key = cluster.submit(job).key
    assert has_config(cluster.session, key, job.to_yaml())
    job.document["parameters"] = {"n": "1"}
    assert not has_config(cluster.session, key, job.to_yaml())
