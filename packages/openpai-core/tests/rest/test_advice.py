"""The platform's advice is passed on only while it can be true."""

from openpai.core.rest.models import JobDetail

SPEC = {"solution": ["Check container log and find root cause", "Wait result from next retry"]}


def test_final_job_has_no_retry_advice():
    """A job that has failed for good is not retried."""
    ended = JobDetail({"jobStatus": {"state": "FAILED", "appExitSpec": SPEC}})
    assert ended.advice == ("Check container log and find root cause",)


def test_retriable_job_keeps_retry_advice():
    """The attempt failed; the job is still active."""
    waiting = JobDetail({"jobStatus": {"state": "WAITING", "appExitSpec": SPEC}})
    assert len(waiting.advice) == 2
