"""What is said of jobs that run and have run has the shape of the real server's answers."""

import json

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process


@pytest.fixture
def like(client, differences, recordings):
    """Check that an answer has the keys and types of a recorded one."""

    def check(path, name):
        answer = client("GET", path)
        recorded = recordings[name]["response"]
        assert answer.status_code == recorded["status"]
        renamed = json.loads(json.dumps(recorded["json"]).replace('"taskrole"', '"worker"'))
        assert differences(renamed, answer.json()) == []
        return answer.json()

    return check


def test_running_job_matches_recording(client, job_text, like):
    """A job whose tasks all run."""
    client.submit(job_text("shaperun", "sleep 600", instances=2))
    client.wait("shaperun", "RUNNING")
    like(client.path("shaperun"), "240-getJob-running")
    like(client.path("shaperun"), "259-getJob-by-debugId")
    like(client.path("shaperun") + "/events", "315-getEvents-ok")
    task = client.path("shaperun") + "/attempts/0/taskRoles/worker/taskIndex/0/attempts"
    like(task, "269-getTask-running")
    wait_until(lambda: client("GET", task + "/0/logs"))  # a task runs before it has a log
    like(task + "/0/logs", "277-getTaskLogs-ok")
    client.stop("shaperun")
    client.wait("shaperun")
    stopped = like(client.path("shaperun"), "330-getJob-stopped")
    assert stopped["jobStatus"]["appExitDiagnostics"] == "User has requested to stop the Framework"


def test_succeeded_job_matches_recording(client, job_text, like, recordings):
    """A job that did what it should; also the words are the real ones."""
    client.submit(job_text("shapeok", "true"))
    client.wait("shapeok")
    status = like(client.path("shapeok"), "242-getJob-succeeded")["jobStatus"]
    recorded = recordings["242-getJob-succeeded"]["response"]["json"]["jobStatus"]
    for key in ("appExitDiagnostics", "appExitMessages", "appExitType", "appExitSpec"):
        assert status[key] == recorded[key]


def test_failed_job_matches_recording(client, job_text, like, recordings):
    """A job of which one task failed: its sibling was stopped, the trigger is named."""
    name = "243-getJob-failed-user-255"
    commands = ('test "$PAI_TASK_INDEX" = 1 || sleep 600', "echo boom >&2", "exit 1")
    client.submit(job_text("shapefail", *commands, instances=2))
    client.wait("shapefail")
    job = like(client.path("shapefail"), name)
    recorded = recordings[name]["response"]["json"]
    for key in ("appExitCode", "appExitSpec", "appExitTriggerMessage", "appExitTriggerTaskIndex"):
        assert job["jobStatus"][key] == recorded["jobStatus"][key]
    ours = job["taskRoles"]["worker"]["taskStatuses"]
    theirs = recorded["taskRoles"]["taskrole"]["taskStatuses"]
    for mine, real in zip(ours, theirs):
        for key in ("taskState", "containerExitCode", "containerExitSpec"):
            assert mine[key] == real[key]


def test_job_attempts_match_recording(client, job_text, like):
    """Attempts, in today's and in the old form: the latest first, then from the first on."""
    client.submit(job_text("shaperetry", "exit 1", top="jobRetryCount: 2"))
    client.wait("shaperetry")
    path = client.path("shaperetry")
    like(path, "254-getJob-failed-after-retries")
    like(path + "/attempts/0", "248-getJob-attempt-0")
    attempts = like(path + "/job-attempts", "263-getJobAttempts-ok")
    assert [item["attemptIndex"] for item in attempts] == [2, 0, 1]
    assert [item["isLatest"] for item in attempts] == [True, False, False]
    assert like(path + "/job-attempts/0", "265-getJobAttempt-0")["isLatest"] is True


def test_task_attempts_match_recording(client, job_text, like):
    """A task's history holds its attempts, the newest first."""
    text = job_text("shapetask", 'test "$FC_TASK_ATTEMPT_ID" = 1', role="taskRetryCount: 1")
    client.submit(text + "extras: {gangAllocation: false}\n")
    client.wait("shapetask")
    task = client.path("shapetask") + "/attempts/0/taskRoles/worker/taskIndex/0/attempts"
    like(task, "270-getTask-with-history")
    like(task + "/0/logs", "281-getTaskLogs-old-task-attempt")


def test_role_names_are_converted(client, job_text):
    """A role ``Ps_Server`` appears as ``psserver``, and only under that name."""
    client.submit(job_text("shaperole", "true").replace("  worker:", "  Ps_Server:"))
    job = client.wait("shaperole")
    assert list(job["taskRoles"]) == ["psserver"]
    assert job["jobStatus"]["appExitTriggerTaskRoleName"] == "psserver"
    task = client.path("shaperole") + "/attempts/0/taskRoles/{}/taskIndex/0/attempts"
    assert client("GET", task.format("psserver")).status_code == 200
    assert client("GET", task.format("Ps_Server")).status_code == 404
