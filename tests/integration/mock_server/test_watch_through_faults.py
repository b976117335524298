"""Waiting for a job and following its log go on through passing trouble."""

from __future__ import annotations

import pytest

from openpai.core.errors import JobNotFoundError

COUNT = "for i in $(seq 40); do echo line $i; sleep 0.05; done"


@pytest.mark.parametrize("kind", ["cut", "500", "503"])
def test_waiting_survives_faults(cluster, mock_pai, faults, make_job, kind):
    """Four failures in a row, and the end of the job is still seen."""
    remote = cluster.submit(make_job("wait", "sleep 1"))
    fault = faults.cut if kind == "cut" else faults.answer(int(kind))
    mock_pai.fail("GET", "/jobs/[^/]+$", fault, times=4)
    assert remote.wait(timeout=120).state == "SUCCEEDED"
    assert mock_pai.struck == 4


def test_following_loses_and_doubles_no_line_through_faults(cluster, mock_pai, faults, make_job):
    """The log server and the REST server fail now and then while the task writes."""
    remote = cluster.submit(make_job("follow", COUNT))
    for _ in range(4):
        mock_pai.fail("GET", "/log-manager/", faults.cut)
        mock_pai.fail("GET", "/log-manager/", faults.answer(403))
        mock_pai.fail("GET", "/logs$", faults.answer(503))
        mock_pai.fail("GET", "/jobs/[^/]+$", faults.cut)
    assert list(remote.logs(follow=True)) == [f"line {n}" for n in range(1, 41)]
    assert mock_pai.struck == 16


def test_a_job_that_does_not_exist_ends_the_wait_at_once(cluster):
    """No patience helps here."""
    with pytest.raises(JobNotFoundError):
        cluster.job("nobody").wait(timeout=60)


def test_a_stop_that_meets_a_cut_takes_effect_all_the_same(cluster, mock_pai, faults, make_job):
    """Asking twice for a stop is harmless, so the client does it."""
    remote = cluster.submit(make_job("stop", "sleep 60"))
    mock_pai.fail("PUT", "/executionType$", faults.cut)
    remote.stop()
    assert mock_pai.struck == 1
    assert remote.wait(timeout=60).state == "STOPPED"
