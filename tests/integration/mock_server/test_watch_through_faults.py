"""Waiting for a job and following its log go on through passing trouble."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.gate import Gate
from support.wait import wait_until

from openpai.core.errors import JobNotFoundError


@pytest.mark.parametrize("kind", ["cut", "500", "503"])
def test_wait_survives_faults(cluster, mock_pai, faults, make_job, kind):
    """Four failures in a row, and the end of the job is still seen."""
    remote = cluster.submit(make_job("wait"))
    fault = faults.cut if kind == "cut" else faults.answer(int(kind))
    mock_pai.fail("GET", "/jobs/[^/]+$", fault, times=4)
    assert remote.wait(timeout=120).state == "SUCCEEDED"
    assert mock_pai.struck == 4


def test_logs_follow_keeps_every_line_through_faults(cluster, mock_pai, faults, make_job, tmp_path):
    """The log server and the REST server fail now and then while the task writes."""
    gate = Gate(tmp_path / "gate")
    count = f"n=0; until [ -e {gate.path} ]; do n=$((n + 1)); echo line $n; sleep 0.05; done"
    remote = cluster.submit(make_job("follow", f"{count}; echo end"))
    for _ in range(4):
        mock_pai.fail("GET", "/log-manager/", faults.cut)
        mock_pai.fail("GET", "/log-manager/", faults.answer(403))
        mock_pai.fail("GET", "/logs$", faults.answer(503))
        mock_pai.fail("GET", "/jobs/[^/]+$", faults.cut)
    with ThreadPoolExecutor() as pool:
        following = pool.submit(list, remote.logs(follow=True))
        try:
            wait_until(lambda: mock_pai.struck == 16, "all faults", show=lambda: mock_pai.struck)
        finally:
            gate.open()
        *lines, end = following.result(timeout=120)
    assert lines == [f"line {n}" for n in range(1, len(lines) + 1)]
    assert end == "end"


def test_wait_for_unknown_job_raises_not_found(cluster):
    """Retrying does not help here."""
    with pytest.raises(JobNotFoundError):
        cluster.job("nobody").wait(timeout=60)


def test_stop_retries_after_cut_connection(cluster, mock_pai, faults, make_job):
    """Asking twice for a stop is harmless, so the client does it."""
    remote = cluster.submit(make_job("stop", "sleep 600"))
    mock_pai.fail("PUT", "/executionType$", faults.cut)
    remote.stop()
    assert mock_pai.struck == 1
    assert remote.wait(timeout=60).state == "STOPPED"
