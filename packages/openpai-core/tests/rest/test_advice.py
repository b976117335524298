"""The platform's advice is passed on only while it can be true."""

from openpai.core.rest.job_records import JobDetail

SPEC = {"solution": ["Check container log and find root cause", "Wait result from next retry"]}


def test_nobody_is_told_to_wait_for_a_retry_that_never_comes():
    """A job that has failed for good is not retried."""
    ended = JobDetail({"jobStatus": {"state": "FAILED", "appExitSpec": SPEC}})
    assert ended.advice == ("Check container log and find root cause",)


def test_a_job_that_may_be_retried_keeps_the_advice():
    """The attempt failed; the job goes on."""
    waiting = JobDetail({"jobStatus": {"state": "WAITING", "appExitSpec": SPEC}})
    assert len(waiting.advice) == 2
