"""A job on a local cluster runs for real."""

import pytest

pytestmark = pytest.mark.process


def test_command_runs_and_output_is_served(client, job_text):
    """What a command writes is found under the names all, stdout and stderr."""
    assert client.submit(job_text("speaks", "echo out", "echo err >&2")).status_code == 202
    assert client.wait("speaks")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("speaks", "stdout") == "out\n"
    assert client.log("speaks", "stderr") == "err\n"
    assert sorted(client.log("speaks").split()) == ["err", "out"]


def test_user_exit_code_is_kept_beside_platform_code(client, job_text):
    """A command that ends with 3 gives PAI's 255, and originUserExitCode 3."""
    client.submit(job_text("fails", "exit 3"))
    status = client.wait("fails")["jobStatus"]
    assert (status["state"], status["appExitCode"]) == ("FAILED", 255)
    assert status["appExitMessages"]["runtime"]["originUserExitCode"] == 3
    assert status["appExitSpec"]["phrase"] == "PAIRuntimeUnknownFailed"


def test_job_exists_immediately(client, job_text):
    """Between the 202 and the start a job is WAITING, without attempt and tasks."""
    client.submit(job_text("early", "true"))
    assert client.job("early")["name"] == "early"
    client.wait("early")


def test_commands_share_one_strict_shell(client, job_text):
    """Shell variables live on from command to command, and the first failure ends the task."""
    client.submit(job_text("shell", "word=kept", 'echo "$word"', "false", "echo never"))
    assert client.wait("shell")["jobStatus"]["state"] == "FAILED"
    assert client.log("shell") == "kept\n"


def test_every_task_has_own_folder_and_ports(client, job_text):
    """Two tasks of a role neither share a working folder nor a port."""
    client.submit(job_text("own", 'pwd; echo "$PAI_CONTAINER_HOST_PORT"', instances=2))
    client.wait("own")
    first = client.log("own", index=0).split()
    second = client.log("own", index=1).split()
    assert first[0] != second[0]
    assert first[1] != second[1]
