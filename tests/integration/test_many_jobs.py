"""200 jobs in a for-loop: limited, the network lost in the middle, each there exactly once."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from support.wait import wait_until

from openpai.core import Cluster
from openpai.core.local import LocalCluster
from openpai.core.local.api import rate_limit
from openpai.core.local.cluster import Limits
from openpai.core.protocol.command_job import job_from_command

JOBS = 200
AT_ONCE = 60
HOUR = 3


@pytest.fixture
def limited(tmp_path, monkeypatch):
    """A cluster that takes 60 submissions in an hour of a few seconds."""
    monkeypatch.setattr(rate_limit, "HOUR", HOUR)
    limits = Limits(api_per_minute=100_000, submits_per_hour=AT_ONCE)
    with LocalCluster(tmp_path, cpus=1, memory_mb=512, grace=0.5, rate_limits=limits) as cluster:
        yield cluster


def lose_the_network(local: LocalCluster, seconds: float) -> threading.Timer:
    """Let nobody through for some seconds, and swallow answers before and after."""
    local.faults.clear()
    local.faults.cut_connections()

    def restore() -> None:
        local.faults.clear()
        local.faults.lose_answers(every=9, method="POST", path="/jobs$")

    timer = threading.Timer(seconds, restore)
    timer.start()
    return timer


def lose_the_network_halfway(local: LocalCluster) -> None:
    """Let nobody through for two seconds once half of the jobs are there."""
    with Cluster(local.uri, user=local.user, token=local.token) as cluster:
        wait_until(lambda: cluster.count_jobs() >= JOBS // 2, "half of the jobs", timeout=300)
    lose_the_network(local, 2.0).join()


@pytest.mark.parametrize("many", [False, True], ids=["one by one", "submit_all"])
def test_200_submissions_make_200_jobs(limited, many):
    """Nobody who submits in a loop has to think of limits, lost answers or a lost network."""
    with Cluster(limited.uri, user=limited.user, token=limited.token) as cluster:
        jobs = [
            job_from_command(f"loop_{n:03}", ["sleep", "600"], image="any", cpu=1, memory_mb=256)
            for n in range(JOBS)
        ]
        limited.faults.lose_answers(every=7, method="POST", path="/jobs$")
        began = time.monotonic()
        if many:
            outage = threading.Thread(target=lose_the_network_halfway, args=(limited,))
            outage.start()
            assert all(outcome.ok for outcome in cluster.submit_all(jobs))
            outage.join()
        else:
            for number, job in enumerate(jobs):
                if number == JOBS // 2:
                    timer = lose_the_network(limited, 2.0)
                cluster.submit(job)
            timer.join()
        took = time.monotonic() - began
        limited.faults.clear()
        names = Counter(job.name for job in cluster.jobs())
    assert names == Counter(job.name for job in jobs)
    assert took > 2 * HOUR  # 60 at a time, so the limit was met however slow the machine is
