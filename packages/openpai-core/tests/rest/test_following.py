"""Following a job's logs: every line once, in order, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from openpai.core import Cluster
from openpai.core.errors import NotFoundError
from openpai.core.local import LocalCluster, daemon

pytestmark = pytest.mark.process


class Follower(threading.Thread):
    """Collects the lines of a job in a thread of its own."""

    def __init__(self, remote, **options) -> None:
        super().__init__(daemon=True)
        self.remote = remote
        self.options = options
        self.lines: list = []

    def run(self) -> None:
        """Follow until the job has ended."""
        for line in self.remote.log_lines(follow=True, **self.options):
            self.lines.append(line)

    @property
    def texts(self) -> list:
        """The lines up to now."""
        return [line.text for line in self.lines]

    def until(self, text, seconds=60) -> None:
        """Return when a line has come."""
        deadline = time.monotonic() + seconds
        while text not in self.texts:
            assert self.is_alive(), self.texts[-3:]
            assert time.monotonic() < deadline, self.texts[-3:]
            time.sleep(0.02)

    def end(self, seconds=60) -> list:
        """Return all lines once the job has ended."""
        self.join(seconds)
        assert not self.is_alive(), self.texts[-3:]
        return self.texts


@pytest.fixture
def follow():
    """Return a function that begins to follow a job."""

    def begin(remote, **options):
        follower = Follower(remote, **options)
        follower.start()
        return follower

    return begin


def counting(upto, *, every="0.02"):
    """A command that writes numbered lines for a while."""
    return f"for i in $(seq 1 {upto}); do echo line $i; sleep {every}; done"


def numbers(upto):
    """What it writes."""
    return [f"line {n}" for n in range(1, upto + 1)]


def test_lines_come_while_the_job_runs(cluster, make_job, follow):
    """The last one comes with the job's end, and following ends with it."""
    follower = follow(cluster.submit(make_job(counting(20), "printf unfinished")))
    follower.until("line 1")
    assert follower.end() == [*numbers(20), "unfinished"]


def test_following_begins_before_the_job_does(cluster, make_job, follow):
    """A job that waits has no log yet, and the server says so by 404 and 500."""
    holder = cluster.submit(make_job("sleep 1", cpu=16))
    follower = follow(cluster.submit(make_job("echo now", cpu=16)))
    assert follower.end() == ["now"]
    assert holder.wait(timeout=60).ended


def test_all_tasks_are_followed_and_named(cluster, make_job, follow):
    """Each line says whose it is."""
    job = make_job("echo I am $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX")
    job.document["taskRoles"]["main"]["instances"] = 3
    follower = follow(cluster.submit(job))
    follower.end()
    assert sorted(f"{line.task_index}: {line.text}" for line in follower.lines) == [
        "0: I am 0",
        "1: I am 1",
        "2: I am 2",
    ]


def test_a_retry_is_followed(cluster, make_job, follow):
    """The lines of every attempt come, one after the other."""
    job = make_job("echo attempt $FC_FRAMEWORK_ATTEMPT_ID", "exit 4")
    job.document["jobRetryCount"] = 2
    follower = follow(cluster.submit(job))
    assert follower.end() == ["attempt 0", "attempt 1", "attempt 2"]


def test_tail_applies_to_what_was_there_at_the_beginning(cluster, make_job, follow):
    """What comes later comes whole."""
    remote = cluster.submit(make_job("seq 1 1000", "sleep 2", "seq 1001 1010"))
    ahead = follow(remote)
    ahead.until("1000")
    follower = follow(remote, tail=2)
    assert follower.end() == ["999", "1000", *map(str, range(1001, 1011))]
    assert len(ahead.end()) == 1010


def test_addresses_that_expire_are_asked_for_anew(make_job, follow):
    """They live for two minutes; here hours pass between two lines."""
    with LocalCluster(cpus=4, memory_mb=4000) as local, Cluster(local.uri, token=local.token) as c:
        follower = follow(c.submit(make_job(counting(30))))
        for number in (3, 10, 20):
            follower.until(f"line {number}")
            local.advance(3600)
        assert follower.end() == numbers(30)


def test_rotation_loses_and_doubles_nothing(make_job, follow):
    """The log changes over several times while it is followed."""
    hundred = 'for j in $(seq 1 100); do echo "$i $j"; done; sleep 0.1'
    size = {"log_limit": 4000, "cpus": 4, "memory_mb": 4000}
    with LocalCluster(**size) as local, Cluster(local.uri, token=local.token) as cluster:
        remote = cluster.submit(make_job(f"for i in $(seq 1 20); do {hundred}; done"))
        expected = [f"{i} {j}" for i in range(1, 21) for j in range(1, 101)]
        assert follow(remote).end() == expected


def test_faults_of_the_log_server_lose_and_double_nothing(through_proxy, proxy, make_job, follow):
    """Cut answers, bad gateways and refused addresses while the job writes."""
    remote = through_proxy.submit(make_job(counting(60)))
    follower = follow(remote)
    for number, fault in enumerate(
        [{"how": "cut"}, {"how": "lose"}, {"how": "instead", "status": 502}, {"how": "refuse"}]
    ):
        follower.until(f"line {number * 10 + 5}")
        proxy.fail("GET", "^/log-manager/", **fault, times=2)
    proxy.fail("GET", "^/log-manager/", "instead", status=403, times=1)
    proxy.fail("GET", "/logs$", "instead", status=500, times=1)
    proxy.fail("GET", f"{remote.key}$", "refuse", times=6)
    assert follower.end() == numbers(60)


def test_a_restart_of_the_server_loses_and_doubles_nothing(tmp_path, make_job, follow):
    """The server is killed and comes back; the job has gone on writing."""
    folder = tmp_path / "state"
    running = daemon.up(folder, cpus=4, memory_mb=4000)
    try:
        with Cluster(running.uri, user=running.user, token=running.token) as cluster:
            follower = follow(cluster.submit(make_job(counting(60, every="0.05"))))
            follower.until("line 5")
            os.kill(running.pid, signal.SIGKILL)
            while daemon.status(folder) is not None:
                time.sleep(0.02)
            time.sleep(0.3)  # for a while there is no server at all
            assert daemon.up(folder, cpus=4, memory_mb=4000).uri == running.uri
            assert follower.end() == numbers(60)
    finally:
        if daemon.status(folder) is not None:
            daemon.down(folder, stop_jobs=True)


def test_a_task_that_never_was_is_told(cluster, make_job):
    """Following it would never end."""
    remote = cluster.submit(make_job("sleep 1"))
    with pytest.raises(NotFoundError, match="has no task"):
        list(remote.log_lines("main", 5, follow=True))
    remote.stop()
