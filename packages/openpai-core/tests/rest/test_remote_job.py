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


def test_wait_returns_the_end_of_a_job(cluster, make_job):
    """State and the user's own exit code are there at once."""
    detail = cluster.submit(make_job("exit 3")).wait(timeout=60)
    assert (detail.state, detail.exit_code) == ("FAILED", 3)


def test_wait_bears_trouble_that_passes(through_proxy, proxy, make_job, gate, clock):
    """Bad gateways and cut connections while a job runs are no reason to give up."""
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


def test_wait_gives_up_in_time(cluster, make_job):
    """The time that was given runs out; the job goes on and is not harmed."""
    remote = cluster.submit(make_job("sleep 600"))
    with pytest.raises(WaitTimeout, match="it goes on"):
        remote.wait(timeout=0.05, poll=0.01)
    assert remote.state() in ("WAITING", "RUNNING")
    remote.stop()


def test_wait_on_a_silent_cluster_ends_in_time(through_proxy, proxy, make_job):
    """Trouble does not make it wait longer than it was given."""
    remote = through_proxy.submit(make_job())
    proxy.fail("GET", f"/jobs/{remote.key}$", "instead", status=503, times=1000)
    with pytest.raises((WaitTimeout, ServerError)):
        remote.wait(timeout=0.2)


def test_wait_for_a_job_that_does_not_exist_is_an_error(cluster):
    """It will never end."""
    with pytest.raises(JobNotFoundError):
        cluster.job("never_submitted").wait(timeout=60)


def test_a_retried_job_is_waited_for_to_its_end(cluster, make_job):
    """RUNNING goes back to WAITING on a retry; only the last end counts."""
    job = make_job("exit 4")
    job.document["jobRetryCount"] = 1
    remote = cluster.submit(job)
    detail = remote.wait(timeout=60)
    assert (detail.state, detail.retries) == ("FAILED", 1)
    assert [attempt.attempt_id for attempt in remote.attempts()] == [0, 1]


def test_stop_ends_a_job(cluster, make_job):
    """Stopping is asynchronous."""
    remote = cluster.submit(make_job("sleep 600"))
    remote.stop()
    detail = remote.wait(timeout=60)
    assert (detail.state, detail.execution_type) == ("STOPPED", "STOP")


def test_stopping_a_job_that_has_ended_is_no_error(through_proxy, proxy, make_job):
    """The server accepts it at first, and answers 500 after its clean-up."""
    remote = through_proxy.submit(make_job())
    remote.wait(timeout=60)
    remote.stop()
    body = b'{"code": "UnknownError", "message": "Unexpected end of JSON input"}'
    proxy.fail("PUT", "executionType$", "instead", status=500, body=body)
    remote.stop()


def test_a_500_for_a_job_that_goes_on_is_an_error(through_proxy, proxy, make_job):
    """Then it was not stopped."""
    remote = through_proxy.submit(make_job("sleep 600"))
    proxy.fail("PUT", "executionType$", "instead", status=500, body=b'{"message": "no"}')
    with pytest.raises(ServerError):
        remote.stop()
    remote.stop()


def test_stopping_a_job_that_does_not_exist_is_an_error(cluster):
    """A name was misspelled."""
    with pytest.raises(JobNotFoundError):
        cluster.job("never_submitted").stop()


def test_logs_of_one_task_and_of_all(cluster, make_job):
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


def test_a_role_may_be_spelled_as_its_author_did(cluster, make_job):
    """The server folds names to lower case, letters and digits."""
    remote = cluster.submit(make_job("echo hello", role="My_Worker"), strict=False)
    remote.wait(timeout=60)
    assert list(remote.logs("My_Worker")) == ["hello"]
    assert remote.task("My_Worker").attempts[0].container_exit_code == 0


def test_tail_keeps_the_last_lines(cluster, make_job):
    """Only these are fetched from a long log."""
    remote = cluster.submit(make_job("seq 1 20000", "printf unfinished"))
    remote.wait(timeout=60)
    assert list(remote.logs(tail=3)) == ["19999", "20000", "unfinished"]
    assert list(remote.logs(tail=1, stream="stderr")) == []
    assert len(list(remote.logs(tail=30_000))) == 20_001


def test_a_task_that_is_not_there_is_told(cluster, make_job):
    """With those that are."""
    remote = cluster.submit(make_job())
    remote.wait(timeout=60)
    with pytest.raises(NotFoundError, match="there are: main-0"):
        list(remote.logs("main", 7))


def test_a_log_that_is_not_there_is_told(cluster, make_job, caplog):
    """With those that are."""
    remote = cluster.submit(make_job("echo x"))
    remote.wait(timeout=60)
    assert list(remote.logs(stream="stdrr")) == []
    assert "has no log 'stdrr' (there are: " in caplog.text


def test_explain_tells_why_a_job_failed(cluster, make_job):
    """Exit code, the platform's advice, events and the last lines."""
    remote = cluster.submit(make_job("echo about to fail", "exit 5"))
    remote.wait(timeout=60)
    told = remote.explain(lines=2)
    assert "FAILED with exit code 5" in told.summary
    assert [line.text for line in told.log] == ["about to fail"]
    assert told.events
    assert "about to fail" in str(told)


def test_explain_tells_why_a_job_waits(cluster, make_job):
    """Another job holds all CPUs."""
    holder, waiter = (cluster.submit(make_job("sleep 600", cpu=16)) for _ in range(2))
    try:
        assert "waits" in waiter.explain().summary
    finally:
        for remote in (waiter, holder):
            remote.stop()
            remote.wait(timeout=60)


def test_tags_are_added_and_taken_off(cluster, make_job):
    """The server keeps them with the job."""
    remote = cluster.submit(make_job())
    remote.add_tag("first try")
    assert remote.status().tags == ("first try",)
    remote.delete_tag("first try")
    assert remote.status().tags == ()
    with pytest.raises(NotFoundError):
        remote.delete_tag("first try")


@pytest.mark.parametrize("how", ["lose", "cut"])
def test_a_tag_that_is_gone_is_gone_although_the_answer_was_lost(
    through_proxy, proxy, make_job, how
):
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


def test_a_jobs_page_in_the_portal(cluster):
    """The address that people share."""
    url = cluster.job("alice~train").url
    assert url == f"{cluster.uri}/job-detail.html?username=alice&jobName=train"


def test_outputs_of_a_job_without_a_workspace_are_told(cluster, make_job):
    """It saves none, and the hint says how it would."""
    remote = cluster.submit(make_job())
    with pytest.raises(NotFoundError, match="names no workspace"):
        remote.outputs()
