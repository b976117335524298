"""One job on a cluster: wait for it, stop it, read what it said, ask why."""

from __future__ import annotations

import threading

import pytest
from support.wait import wait_until

from openpai.core.errors import (
    ConnectionFailed,
    JobNotFoundError,
    NotFoundError,
    ServerError,
    WaitTimeout,
)

pytestmark = pytest.mark.process


def test_wait_returns_ended_job(cluster, make_job):
    """State and the user's own exit code are there at once."""
    detail = cluster.submit(make_job("exit 3")).wait(timeout=60)
    assert (detail.state, detail.exit_code) == ("FAILED", 3)


def test_wait_survives_transient_failures(through_proxy, proxy, make_job, gate, clock):
    """Bad gateways and cut connections while a job runs."""
    remote = through_proxy.submit(make_job(gate.command))
    proxy.fail("GET", f"/jobs/{remote.key}$", "instead", status=502, times=5)
    proxy.fail("GET", f"/jobs/{remote.key}$", "refuse", times=3)
    ended = []
    waiter = threading.Thread(target=lambda: ended.append(remote.wait(timeout=60)))
    waiter.start()
    wait_until(lambda: not proxy.pending, "faults", show=lambda: proxy.faults)
    gate.open()
    waiter.join(60)
    assert [detail.state for detail in ended] == ["SUCCEEDED"]


def test_wait_times_out(cluster, make_job):
    """The job continues."""
    remote = cluster.submit(make_job("sleep 600"))
    with pytest.raises(WaitTimeout, match="the job continues"):
        remote.wait(timeout=0.05, poll=0.01)
    assert remote.state() in ("WAITING", "RUNNING")
    remote.stop()


def test_wait_on_failing_cluster_times_out(through_proxy, proxy, make_job):
    """Trouble does not make it wait longer than it was given."""
    remote = through_proxy.submit(make_job())
    proxy.fail("GET", f"/jobs/{remote.key}$", "instead", status=503, times=1000)
    with pytest.raises((WaitTimeout, ServerError)):
        remote.wait(timeout=0.2)


def test_wait_for_missing_job_raises(cluster):
    """It will never end."""
    with pytest.raises(JobNotFoundError):
        cluster.job("never_submitted").wait(timeout=60)


def test_wait_continues_through_retries(cluster, make_job):
    """RUNNING goes back to WAITING on a retry; only the last end counts."""
    job = make_job("exit 4")
    job.document["jobRetryCount"] = 1
    remote = cluster.submit(job)
    detail = remote.wait(timeout=60)
    assert (detail.state, detail.retries) == ("FAILED", 1)
    assert [attempt.attempt_id for attempt in remote.attempts()] == [0, 1]


def test_stop_ends_job(cluster, make_job):
    """Stopping is asynchronous."""
    remote = cluster.submit(make_job("sleep 600"))
    remote.stop()
    detail = remote.wait(timeout=60)
    assert (detail.state, detail.execution_type) == ("STOPPED", "STOP")


def test_stop_of_ended_job_succeeds(through_proxy, proxy, make_job):
    """The server accepts it at first, and answers 500 after its clean-up."""
    remote = through_proxy.submit(make_job())
    remote.wait(timeout=60)
    remote.stop()
    body = b'{"code": "UnknownError", "message": "Unexpected end of JSON input"}'
    proxy.fail("PUT", "executionType$", "instead", status=500, body=body)
    remote.stop()


def test_stop_with_500_for_active_job_raises(through_proxy, proxy, make_job):
    """Then it was not stopped."""
    remote = through_proxy.submit(make_job("sleep 600"))
    proxy.fail("PUT", "executionType$", "instead", status=500, body=b'{"message": "no"}')
    with pytest.raises(ServerError):
        remote.stop()
    remote.stop()


def test_stop_of_missing_job_raises(cluster):
    """A name was misspelled."""
    with pytest.raises(JobNotFoundError):
        cluster.job("never_submitted").stop()


def test_logs_of_one_and_all_tasks(cluster, make_job):
    """Each line knows its task."""
    job = make_job("echo out $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX", "echo err >&2")
    job.document["taskRoles"]["main"]["instances"] = 2
    remote = cluster.submit(job)
    remote.wait(timeout=60)
    assert list(remote.logs("main", 1, "stdout")) == ["out 1"]
    assert list(remote.logs("main", 0, "stderr")) == ["err"]
    every = sorted((line.role, line.task_index, line.text) for line in remote.log_lines())
    assert every == [
        ("main", 0, "err"),
        ("main", 0, "out 0"),
        ("main", 1, "err"),
        ("main", 1, "out 1"),
    ]


def test_role_is_found_in_any_spelling(cluster, make_job):
    """The server folds names to lower case, letters and digits."""
    remote = cluster.submit(make_job("echo hello", role="My_Worker"), strict=False)
    remote.wait(timeout=60)
    assert list(remote.logs("My_Worker")) == ["hello"]
    assert remote.task("My_Worker").attempts[0].container_exit_code == 0


def test_tail_returns_last_lines(cluster, make_job):
    """Only these are fetched from a long log."""
    remote = cluster.submit(make_job("seq 1 20000", "printf unfinished"))
    remote.wait(timeout=60)
    assert list(remote.logs(tail=3)) == ["19999", "20000", "unfinished"]
    assert list(remote.logs(tail=1, stream="stderr")) == []
    assert len(list(remote.logs(tail=30_000))) == 20_001


def test_missing_task_raises(cluster, make_job):
    """With those that are."""
    remote = cluster.submit(make_job())
    remote.wait(timeout=60)
    with pytest.raises(NotFoundError, match="there are: main-0"):
        list(remote.logs("main", 7))


def test_missing_log_warns(cluster, make_job, caplog):
    """With those that are."""
    remote = cluster.submit(make_job("echo x"))
    remote.wait(timeout=60)
    assert list(remote.logs(stream="stdrr")) == []
    assert "has no log 'stdrr' (there are: " in caplog.text


def test_explain_describes_failure(cluster, make_job):
    """Exit code, the platform's advice, events and the last lines."""
    remote = cluster.submit(make_job("echo about to fail", "exit 5"))
    remote.wait(timeout=60)
    reported = remote.explain(lines=2)
    assert "FAILED with exit code 5" in reported.summary
    assert [line.text for line in reported.log] == ["about to fail"]
    assert reported.events
    assert "about to fail" in str(reported)


def test_explain_describes_waiting(cluster, make_job):
    """Another job holds all CPUs."""
    holder, waiter = (cluster.submit(make_job("sleep 600", cpu=16)) for _ in range(2))
    try:
        assert "waits" in waiter.explain().summary
    finally:
        for remote in (waiter, holder):
            remote.stop()
            remote.wait(timeout=60)


def test_tags_are_added_and_deleted(cluster, make_job):
    """The server keeps them with the job."""
    remote = cluster.submit(make_job())
    remote.add_tag("first try")
    assert remote.status().tags == ("first try",)
    remote.delete_tag("first try")
    assert remote.status().tags == ()
    with pytest.raises(NotFoundError):
        remote.delete_tag("first try")


@pytest.mark.parametrize("how", ["lose", "cut"])
def test_deleted_tag_with_lost_answer_is_success(through_proxy, proxy, make_job, how):
    """Taking it off a second time would be an error; so it is looked for."""
    remote = through_proxy.submit(make_job())
    remote.add_tag("one")
    proxy.fail("DELETE", "/tag$", how)
    remote.delete_tag("one")
    assert remote.status().tags == ()
    remote.add_tag("two")
    proxy.fail("DELETE", "/tag$", "refuse")
    with pytest.raises(ConnectionFailed):
        remote.delete_tag("two")


def test_url_is_the_portal_page(cluster):
    """The address that people share."""
    url = cluster.job("alice~train").url
    assert url == f"{cluster.uri}/job-detail.html?username=alice&jobName=train"


def test_outputs_without_workspace_raise(cluster, make_job):
    """It saves none, and the hint says how it would."""
    remote = cluster.submit(make_job())
    with pytest.raises(NotFoundError, match="names no workspace"):
        remote.outputs()
