"""A job is submitted exactly once, whatever happens to the request or its answer."""

from __future__ import annotations

import pytest

from openpai.core.errors import ConflictError, ConnectionFailed, ServerError

JOBS = "/api/v2/jobs$"


def names(cluster) -> list[str]:
    """The names of all jobs that the cluster knows."""
    return [job.name for job in cluster.jobs()]


@pytest.mark.parametrize("times", [1, 2])
def test_submit_with_lost_answer_makes_one_job(cluster, mock_pai, faults, make_job, times):
    """The job was recorded; the client finds out instead of failing or trying again blindly."""
    mock_pai.fail("POST", JOBS, faults.lose_answer, times)
    remote = cluster.submit(make_job("lost"))
    assert mock_pai.struck == 1
    assert names(cluster) == ["lost"]
    assert remote.wait(timeout=60).state == "SUCCEEDED"


@pytest.mark.parametrize("status", [500, 502, 503, 404])
def test_submit_finds_job_recorded_despite_error(cluster, mock_pai, faults, make_job, status):
    """Proxies and the write-merger answer so."""
    mock_pai.fail("POST", JOBS, faults.fail_after(status))
    cluster.submit(make_job("there"))
    assert mock_pai.struck == 1
    assert names(cluster) == ["there"]


def test_submit_retries_after_cut_connection(cluster, mock_pai, faults, make_job):
    """Two connections are cut; the third request makes the one job."""
    mock_pai.fail("POST", JOBS, faults.cut, times=2)
    cluster.submit(make_job("cut"))
    assert mock_pai.struck == 2
    assert names(cluster) == ["cut"]


@pytest.mark.parametrize("status", [502, 503])
def test_submit_retries_after_proxy_error(cluster, mock_pai, faults, make_job, status):
    """Nothing was recorded, so the submission is repeated."""
    mock_pai.fail("POST", JOBS, faults.answer(status, "<html>Bad gateway</html>"))
    cluster.submit(make_job("proxy"))
    assert mock_pai.struck == 1
    assert names(cluster) == ["proxy"]


def test_submit_does_not_retry_status_500(cluster, mock_pai, faults, make_job):
    """The server answers 500 to permanent mistakes; repeating them helps nobody."""
    mock_pai.fail("POST", JOBS, faults.answer(500, '{"message": "x"}', "application/json"), times=9)
    with pytest.raises(ServerError):
        cluster.submit(make_job("broken"))
    assert mock_pai.struck == 1
    assert names(cluster) == []


def test_submit_with_lost_answer_detects_conflict(cluster, mock_pai, faults, make_job):
    """The config tells our job from another's."""
    cluster.submit(make_job("taken", "echo other"))
    mock_pai.fail("POST", JOBS, faults.lose_answer)
    with pytest.raises(ConflictError):
        cluster.submit(make_job("taken"))
    assert mock_pai.struck == 1
    assert names(cluster) == ["taken"]


def test_submit_reports_unknown_outcome(cluster, mock_pai, faults, make_job):
    """The answer is lost and the server stays away: the truth is that nobody knows."""
    mock_pai.fail("POST", JOBS, faults.lose_answer)
    mock_pai.fail("GET", "/config$", faults.cut, times=99)
    with pytest.raises(ConnectionFailed, match="may or may not have been recorded"):
        cluster.submit(make_job("unknown"))
    assert mock_pai.struck > 2
