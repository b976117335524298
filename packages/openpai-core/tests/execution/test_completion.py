"""When a job is decided, and when it is tried again."""

from __future__ import annotations

import pytest

from openpai.core.execution.completion import (
    FinishedTask,
    completion_limits,
    job_outcome,
    should_retry,
)
from openpai.core.protocol.job_yaml import load_yaml
from openpai.core.protocol.roles import task_roles


def _job(**roles):
    return {
        "taskRoles": {name: {"instances": n, "completion": c} for name, (n, c) in roles.items()}
    }


def _done(role, index, code, at=0.0):
    return FinishedTask(role, index, code, "Succeeded" if code == 0 else "Failed", at)


@pytest.mark.parametrize(
    ("completion", "limits"),
    [
        (None, (1, 3)),
        ({}, (1, 3)),
        ({"minFailedInstances": None, "minSucceededInstances": 0}, (1, 3)),
        ({"minFailedInstances": -1, "minSucceededInstances": -1}, (-1, -1)),
        ({"minFailedInstances": 2, "minSucceededInstances": 1}, (2, 1)),
    ],
)
def test_default_limits_match_server(completion, limits):
    """Missing, null and 0 are one failed and all succeeded; -1 is never."""
    assert completion_limits({"instances": 3, "completion": completion}) == limits


def test_limits_match_recorded_requests(framework_requests):
    """The server asked FrameworkController for the same policies."""
    for request in framework_requests:
        roles = task_roles(load_yaml(request["config"])).values()
        for role, asked in zip(roles, request["roles"]):
            policy = asked["completion"]
            expected = policy["minFailedTaskCount"], policy["minSucceededTaskCount"]
            assert completion_limits(role) == expected


def test_job_continues_until_a_rule_decides():
    """One of two tasks has succeeded: nothing is decided."""
    job = _job(worker=(2, None))
    assert job_outcome(job, []) is None
    assert job_outcome(job, [_done("worker", 0, 0)]) is None


def test_first_failed_task_fails_job_with_its_code():
    """The default: one failure is enough, and its code is the job's."""
    outcome = job_outcome(_job(worker=(2, None)), [_done("worker", 1, 137)])
    assert (outcome.code, outcome.type, outcome.role, outcome.index) == (137, "Failed", "worker", 1)
    assert outcome.message == "FailedTaskCount 1 has reached MinFailedTaskCount 1 in the TaskRole"


def test_first_completed_role_ends_job():
    """The default: a role whose tasks have all succeeded decides, whatever the others do."""
    job = _job(ps=(1, None), worker=(2, None))
    outcome = job_outcome(job, [_done("ps", 0, 0)])
    assert (outcome.code, outcome.role) == (0, "ps")


def test_minus_one_disables_rule():
    """Never failing, and waiting for all: the job succeeds when everything has ended."""
    never = {"minFailedInstances": -1, "minSucceededInstances": -1}
    job = _job(worker=(2, never))
    assert job_outcome(job, [_done("worker", 0, 1)]) is None
    outcome = job_outcome(job, [_done("worker", 0, 1), _done("worker", 1, 1)])
    assert (outcome.code, outcome.type, outcome.role) == (0, "Succeeded", None)
    assert outcome.message.startswith("CompletedTaskCount 2 has reached TotalTaskCount 2")


def test_failures_are_counted_per_role():
    """Two failures in different roles do not add up."""
    two = {"minFailedInstances": 2, "minSucceededInstances": -1}
    job = _job(a=(3, two), b=(3, two))
    assert job_outcome(job, [_done("a", 0, 1), _done("b", 0, 1)]) is None
    assert job_outcome(job, [_done("a", 0, 1), _done("b", 0, 1), _done("b", 1, 7)]).code == 7


def test_earliest_ended_task_decides():
    """Several rules at once: the earliest trigger wins, in whatever order tasks are given."""
    job = _job(master=(1, None), worker=(1, None))
    late, early = _done("master", 0, 1, at=5.0), _done("worker", 0, 0, at=4.0)
    assert job_outcome(job, [late, early]).code == 0
    assert job_outcome(job, [_done("master", 0, 1, at=3.0), early]).code == 1


@pytest.mark.parametrize("code", [-210, -220, -230])
def test_stopped_task_is_not_retried(code):
    """A stop is final, even with retries without end."""
    assert not should_retry(code, fancy=True, max_retry=-2, accountable_retries=0).retry


@pytest.mark.parametrize("code", [137, 143, 253, -1000, -101, 200])
def test_platform_failures_are_retried_without_limit(code):
    """Transient failures cost nothing and know no limit."""
    decision = should_retry(code, fancy=True, max_retry=0, accountable_retries=99)
    assert (decision.retry, decision.accountable, decision.delay) == (True, False, (0.0, 0.0))


@pytest.mark.parametrize("code", [251, 201])
def test_conflicts_are_retried_after_delay(code):
    """A gang that found no room waits between one and fifteen minutes."""
    decision = should_retry(code, fancy=True, max_retry=0, accountable_retries=0)
    assert (decision.retry, decision.delay) == (True, (60.0, 900.0))


@pytest.mark.parametrize("code", [220, 232, 254, -200, 210])
def test_known_user_failures_are_not_retried(code):
    """What cannot get better is not tried again, whatever the count."""
    assert not should_retry(code, fancy=True, max_retry=5, accountable_retries=0).retry


def test_other_failures_are_retried_up_to_limit():
    """255 and the like use up jobRetryCount."""
    for used, retry in ((0, True), (1, True), (2, False)):
        decision = should_retry(255, fancy=True, max_retry=2, accountable_retries=used)
        assert (decision.retry, decision.accountable) == (retry, retry)


def test_success_is_final_unless_limit_is_minus_two():
    """-1 retries every failure, -2 success as well."""
    assert not should_retry(0, fancy=True, max_retry=-1, accountable_retries=0).retry
    assert should_retry(0, fancy=True, max_retry=-2, accountable_retries=0).retry
    assert should_retry(255, fancy=True, max_retry=-1, accountable_retries=9).retry


def test_without_fancy_policy_only_limit_counts():
    """A plain task, as in a gang, is never retried at 0, not even after a platform failure."""
    assert not should_retry(137, fancy=False, max_retry=0, accountable_retries=0).retry
    assert should_retry(254, fancy=False, max_retry=1, accountable_retries=0).retry
