"""Completion policies and retries decide as FrameworkController would."""

import pytest

pytestmark = pytest.mark.process


def test_unknown_failures_are_retried_up_to_limit(client, job_text):
    """JobRetryCount 2 gives three attempts, all kept, and retries that count for the user."""
    client.submit(
        job_text("again", "echo try $FC_FRAMEWORK_ATTEMPT_ID", "exit 7", top="jobRetryCount: 2")
    )
    status = client.wait("again")["jobStatus"]
    assert status["state"] == "FAILED"
    assert status["retryDetails"] == {"user": 2, "platform": 0, "resource": 0}
    first = client("GET", client.path("again") + "/attempts/0").json()
    assert first["jobStatus"]["attemptId"] == 0
    assert first["jobStatus"]["appExitCode"] == 255
    assert client.log("again") == "try 2\n"


def test_later_attempt_may_succeed(client, job_text, tmp_path):
    """The job is what its last attempt was."""
    flag = tmp_path / "flag"
    client.submit(
        job_text("second", f"test -e {flag} || {{ touch {flag}; exit 1; }}", top="jobRetryCount: 5")
    )
    status = client.wait("second")["jobStatus"]
    assert (status["state"], status["retries"]) == ("SUCCEEDED", 1)


def test_known_user_error_is_not_retried(client, job_text):
    """A command that does not exist gives 220, which is permanent."""
    client.submit(job_text("nocommand", "no-such-command-at-all", top="jobRetryCount: 3"))
    status = client.wait("nocommand")["jobStatus"]
    assert (status["appExitCode"], status["retries"]) == (220, 0)
    assert status["appExitMessages"]["runtime"]["originUserExitCode"] == 127


def test_external_sigterm_is_retried_without_limit(client, job_text, tmp_path):
    """143 is the platform's fault: it is retried though jobRetryCount is 0."""
    flag = tmp_path / "flag"
    client.submit(job_text("term", f"test -e {flag} && exit 0", f"touch {flag}; kill -TERM $$"))
    status = client.wait("term")["jobStatus"]
    assert status["state"] == "SUCCEEDED"
    assert status["retryDetails"] == {"user": 0, "platform": 1, "resource": 0}


def test_first_succeeded_role_ends_job(client, job_text):
    """By default a role whose tasks all succeeded decides, and the others are stopped."""
    text = job_text(
        "server",
        'test "$PAI_TASK_INDEX" = 0 || sleep 600',
        instances=2,
        role="completion: {minFailedInstances: 1, minSucceededInstances: 1}",
    )
    client.submit(text)
    job = client.wait("server")
    assert job["jobStatus"]["state"] == "SUCCEEDED"
    assert job["jobStatus"]["appExitTriggerTaskIndex"] == 0
    states = [task["taskState"] for task in job["taskRoles"]["worker"]["taskStatuses"]]
    assert states == ["SUCCEEDED", "STOPPED"]


def test_job_without_conditions_succeeds_when_all_ended(client, job_text):
    """With both rules off even failed tasks make a job that succeeds."""
    text = job_text(
        "lenient",
        "exit $PAI_TASK_INDEX",
        instances=2,
        role="completion: {minFailedInstances: -1, minSucceededInstances: -1}",
    )
    client.submit(text)
    assert client.wait("lenient")["jobStatus"]["appExitCode"] == 0


def test_single_task_is_retried_without_gang_allocation(client, job_text):
    """Only then taskRetryCount applies; the job attempt continues and the history is kept."""
    text = (
        job_text(
            "single",
            'echo "$FC_TASK_ATTEMPT_ID"; test "$FC_TASK_ATTEMPT_ID" = 1',
            role="taskRetryCount: 3",
        )
        + "extras: {gangAllocation: false}\n"
    )
    client.submit(text)
    job = client.wait("single")
    assert (job["jobStatus"]["state"], job["jobStatus"]["retries"]) == ("SUCCEEDED", 0)
    task = client.task("single")
    assert (task["retries"], task["accountableRetries"], task["attemptId"]) == (1, 1, 1)
    history = client(
        "GET", client.path("single") + "/attempts/0/taskRoles/worker/taskIndex/0/attempts"
    )
    assert [a["attemptId"] for a in history.json()["attempts"]] == [1, 0]
    assert [a["attemptState"] for a in history.json()["attempts"]] == ["SUCCEEDED", "FAILED"]
    assert history.json()["attempts"][1]["containerId"] != task["containerId"]
