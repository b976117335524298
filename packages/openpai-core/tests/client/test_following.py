"""Following a job's logs: every line once, in order, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from support.wait import wait_until

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

    def until(self, text) -> None:
        """Return when a line has come."""

        def has_come():
            assert text in self.texts or self.is_alive(), self.texts[-3:]
            return text in self.texts

        wait_until(has_come, text, show=lambda: self.texts[-3:])

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


WRITE = "echo line $i"


def numbers(upto):
    """What it writes."""
    return [f"line {n}" for n in range(1, upto + 1)]


def test_follow_yields_lines_while_job_runs(cluster, make_job, follow, steps):
    """The last one comes with the job's end, and following ends with it."""
    follower = follow(cluster.submit(make_job(steps.loop(20, WRITE), "printf unfinished")))
    for number in (1, 2, 15):
        steps.allow(number)
        follower.until(f"line {number}")
    steps.allow(20)
    assert follower.end() == [*numbers(20), "unfinished"]


def test_follow_starts_before_job(through_proxy, proxy, make_job, follow, gate):
    """A job that waits has no log yet, and the server says so by 404 and 500."""
    holder = through_proxy.submit(make_job(gate.command, cpu=16))
    remote = through_proxy.submit(make_job("echo now", cpu=16))
    follower = follow(remote)
    wait_until(lambda: proxy.count("GET", f"/jobs/{remote.key}$") > 1)
    assert remote.state() == "WAITING"
    gate.open()
    assert follower.end() == ["now"]
    assert holder.wait(timeout=60).ended


def test_follow_yields_lines_of_all_tasks(cluster, make_job, follow):
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


def test_follow_continues_through_retries(cluster, make_job, follow):
    """The lines of every attempt come, one after the other."""
    job = make_job("echo attempt $FC_FRAMEWORK_ATTEMPT_ID", "exit 4")
    job.document["jobRetryCount"] = 2
    follower = follow(cluster.submit(job))
    assert follower.end() == ["attempt 0", "attempt 1", "attempt 2"]


def test_follow_with_tail_yields_all_later_lines(cluster, make_job, follow, gate):
    """What comes later comes whole."""
    remote = cluster.submit(make_job("seq 1 1000", gate.command, "seq 1001 1010"))
    ahead = follow(remote)
    ahead.until("1000")
    follower = follow(remote, tail=2)
    follower.until("1000")
    gate.open()
    assert follower.end() == ["999", "1000", *map(str, range(1001, 1011))]
    assert len(ahead.end()) == 1010


def test_follow_renews_expired_addresses(make_job, follow, steps):
    """They live for two minutes; here hours pass between two lines."""
    with LocalCluster(cpus=4, memory_mb=4000) as local, Cluster(local.uri, token=local.token) as c:
        follower = follow(c.submit(make_job(steps.loop(30, WRITE))))
        for number in (3, 10, 20):
            steps.allow(number)
            follower.until(f"line {number}")
            local.advance(3600)
        steps.allow(30)
        assert follower.end() == numbers(30)


def test_follow_survives_rotation(make_job, follow, steps):
    """The log changes over several times while it is followed."""
    write = 'for j in $(seq 1 200); do echo "$i $j"; done'
    size = {"log_limit": 4000, "cpus": 4, "memory_mb": 4000}
    with LocalCluster(**size) as local, Cluster(local.uri, token=local.token) as cluster:
        steps.allow(2)  # the job is ahead by 200 lines, a third of what a file holds
        follower = follow(cluster.submit(make_job(steps.loop(10, write))))
        for number in range(1, 9):
            follower.until(f"{number} 200")
            steps.allow(number + 2)
        assert follower.end() == [f"{i} {j}" for i in range(1, 11) for j in range(1, 201)]


def test_follow_survives_log_server_faults(through_proxy, proxy, make_job, follow, steps, clock):
    """Cut answers, bad gateways and refused addresses while the job writes."""
    steps.allow(5)
    remote = through_proxy.submit(make_job(steps.loop(60, WRITE)))
    follower = follow(remote)
    for number, fault in enumerate(
        [{"how": "cut"}, {"how": "lose"}, {"how": "instead", "status": 502}, {"how": "refuse"}]
    ):
        follower.until(f"line {number * 10 + 5}")
        proxy.fail("GET", "^/log-manager/", **fault, times=2)
        steps.allow(number * 10 + 15)
        wait_until(lambda: not proxy.pending, "faults", show=lambda: proxy.faults)
    proxy.fail("GET", "^/log-manager/", "instead", status=403, times=1)
    proxy.fail("GET", "/logs$", "instead", status=500, times=1)
    proxy.fail("GET", f"{remote.key}$", "refuse", times=6)
    steps.allow(50)
    wait_until(lambda: not proxy.pending, "faults", show=lambda: proxy.faults)
    steps.allow(60)
    assert follower.end() == numbers(60)


def test_follow_survives_server_restart(tmp_path, make_job, follow, steps):
    """The server is killed and comes back; the job has gone on writing."""
    folder = tmp_path / "state"
    running = daemon.up(folder, cpus=4, memory_mb=4000)
    try:
        with Cluster(running.uri, user=running.user, token=running.token) as cluster:
            steps.allow(5)
            follower = follow(cluster.submit(make_job(steps.loop(60, WRITE))))
            follower.until("line 5")
            os.kill(running.pid, signal.SIGKILL)
            wait_until(lambda: daemon.status(folder) is None)
            (log,) = folder.glob("jobs/*/*/logs/*stdout")
            steps.allow(50)
            wait_until(lambda: "line 50\n" in log.read_text(), show=log.read_text)
            steps.allow(60)
            assert daemon.up(folder, cpus=4, memory_mb=4000).uri == running.uri
            assert follower.end() == numbers(60)
    finally:
        if daemon.status(folder) is not None:
            daemon.down(folder, stop_jobs=True)


def test_follow_of_missing_task_raises(cluster, make_job):
    """Following it would never end."""
    remote = cluster.submit(make_job("sleep 600"))
    with pytest.raises(NotFoundError, match="has no task"):
        list(remote.log_lines("main", 5, follow=True))
    remote.stop()
