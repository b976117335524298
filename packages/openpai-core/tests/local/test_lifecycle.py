"""The state machine on plain records: no processes, no clock, no files."""

import pytest

from openpai.core.execution.records import Job
from openpai.core.local.scheduler import lifecycle
from openpai.core.local.scheduler.exit_report import NODE_LOST, Report
from openpai.core.local.scheduler.lifecycle import ActiveJob


def _live(instances=2, retries=0, **extras):
    role = {
        "instances": instances,
        "resourcePerInstance": {"cpu": 1, "memoryMB": 1, "gpu": 0},
        **extras.pop("role", {}),
    }
    document = {"taskRoles": {"worker": role}, "jobRetryCount": retries, "extras": extras}
    job = Job(id=1, debug_id="x", user="u", name="n", virtual_cluster="default", submitted=0)
    return ActiveJob(job, document)


def _begun(**how):
    live = _live(**how)
    lifecycle.begin_attempt(live, 10)
    for task in live.tasks.values():
        task.node_ip = "127.0.0.1"
        lifecycle.task_launched(live, task, 20)
    return live


def _end(live, index, code, now=30):
    report = Report(code, code, "Pod", "Error")
    lifecycle.end_task(live, live.tasks["worker", index], report, now)


def test_attempt_starts_with_all_tasks():
    """They wait, each with a uid and the ports that follow from it."""
    live = _live()
    lifecycle.begin_attempt(live, 10)
    assert (live.job.state, live.job.sub_state) == ("WAITING", "AttemptPreparing")
    assert (live.job.attempt, live.job.created) == (0, 10)
    assert len({task.uid for task in live.tasks.values()}) == 2
    assert all(set(task.ports) == {"ssh", "http"} for task in live.tasks.values())


def test_one_running_task_makes_job_running():
    """The job's launch is its first task's."""
    live = _live()
    lifecycle.begin_attempt(live, 10)
    lifecycle.task_launched(live, live.tasks["worker", 1], 20)
    assert (live.job.state, live.job.launched, live.attempt.launched) == ("RUNNING", 20, 20)


def test_failed_task_decides_attempt():
    """The attempt's outcome stands while others still run, and the job is not yet over."""
    live = _begun()
    _end(live, 1, 255)
    assert lifecycle.decide_attempt(live)
    assert live.is_decided
    assert (live.attempt.code, live.attempt.trigger_index) == (255, 1)
    assert live.job.state == "RUNNING"
    assert not lifecycle.decide_attempt(live)


def test_stop_overrides_task_results():
    """-210, and the job is STOPPING until its tasks have ended."""
    live = _begun()
    live.job.execution_type = "STOP"
    assert lifecycle.decide_attempt(live)
    assert (live.job.state, live.attempt.code) == ("STOPPING", -210)
    for index in (0, 1):
        _end(live, index, -220)
    lifecycle.finish_attempt(live, 40)
    assert (live.job.state, live.job.completed) == ("STOPPED", 40)


@pytest.mark.parametrize(("code", "counted"), [(255, 1), (-1001, 0), (137, 0)])
def test_retry_keeps_job_active(code, counted):
    """Unknown failures count against the user's retries, the platform's do not."""
    live = _begun(retries=1)
    _end(live, 0, code)
    _end(live, 1, -220)
    lifecycle.decide_attempt(live)
    lifecycle.finish_attempt(live, 40)
    assert (live.job.sub_state, live.job.retries) == ("AttemptCompleted", 1)
    assert live.job.user_retries == counted
    lifecycle.begin_attempt(live, 41)
    assert (live.job.attempt, live.job.state, live.job.code) == (1, "WAITING", None)


def test_permanent_failure_is_final():
    """A recognised user error ends the job though retries are left."""
    live = _begun(retries=5)
    _end(live, 0, 220)
    _end(live, 1, -220)
    lifecycle.decide_attempt(live)
    lifecycle.finish_attempt(live, 40)
    assert (live.job.state, live.job.retries) == ("FAILED", 0)


def test_unlimited_retries_back_off():
    """The first ones come at once; later ones wait longer and longer, a minute at most."""
    live = _begun(instances=1)
    waits = []
    for _ in range(20):
        lifecycle.end_task(live, live.tasks["worker", 0], NODE_LOST, 0)
        lifecycle.decide_attempt(live)
        lifecycle.finish_attempt(live, 0)
        waits.append(live.job.retry_at)
        lifecycle.begin_attempt(live, 0)
    assert waits[:4] == [0, 0, 0, 0]
    assert waits == sorted(waits)
    assert waits[-1] == 60_000


def test_single_task_is_retried_only_without_gang_allocation():
    """The old attempt is kept, the new one has another uid and the same task uid."""
    live = _begun(gangAllocation=False, role={"taskRetryCount": 1})
    old = live.tasks["worker", 0]
    _end(live, 0, 255)
    new = live.tasks["worker", 0]
    assert (old.over, old.sub_state, new.retry, new.counted) == (False, "AttemptCompleted", 1, 1)
    assert (new.task_uid, new.uid != old.uid) == (old.task_uid, True)
    assert live.older == [old]
    _end(live, 0, 255)
    assert live.tasks["worker", 0].over


def test_gang_is_retried_as_a_whole():
    """TaskRetryCount means nothing there."""
    live = _begun(role={"taskRetryCount": 3})
    _end(live, 0, 255)
    assert live.tasks["worker", 0].over


def test_job_without_tasks_is_never_decided():
    """PAI's schema accepts an empty list of roles."""
    live = _live()
    live.document = {"taskRoles": []}
    lifecycle.begin_attempt(live, 1)
    assert not lifecycle.decide_attempt(live)
