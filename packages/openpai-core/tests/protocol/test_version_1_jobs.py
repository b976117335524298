"""Jobs of protocol version 1 become jobs of version 2 that do the same."""

from __future__ import annotations

import pytest

from openpai.core.errors import ProtocolError
from openpai.core.protocol.v1 import convert_v1, is_v1

OLD = {
    "jobName": "cifar10.distributed~1",
    "image": "openpai/tf:1",
    "dataDir": "hdfs://1.2.3.4:9000/data set",
    "outputDir": "$PAI_DEFAULT_FS_URI/out",
    "codeDir": "hdfs://1.2.3.4:9000/code",
    "virtualCluster": "research",
    "retryCount": 2,
    "gpuType": "K80",
    "authFile": "hdfs://1.2.3.4:9000/auth",
    "jobEnvs": {"LR": "0.1 'quoted'", "isDebug": True, "flag": True},
    "taskRoles": [
        {
            "name": "ps_server",
            "taskNumber": 2,
            "cpuNumber": 2,
            "memoryMB": 8192,
            "gpuNumber": 0,
            "portList": [{"label": "web", "beginAt": 8080, "portNumber": 2}],
            "command": "python ps.py --hosts $PAI_TASK_ROLE_ps_server_HOST_LIST",
            "minFailedTaskCount": None,
        },
        {
            "name": "worker",
            "command": "python w.py",
            "gpuNumber": 4,
            "minFailedTaskCount": 2,
            "minSucceededTaskCount": 1,
        },
    ],
    "extras": {"submitFrom": "x"},
}


@pytest.fixture
def converted():
    """The old job, converted."""
    return convert_v1(OLD)


def test_converted_job_is_valid(converted):
    """Strict mode has nothing against it."""
    assert converted.job.problems() == []
    assert converted.job.name == "cifar10_distributed_1"


def test_null_in_completion_policy_stays_disabled(converted):
    """Null was never in version 1 and would be the default in version 2."""
    roles = converted.job.document["taskRoles"]
    assert roles["psserver"]["completion"] == {
        "minFailedInstances": -1,
        "minSucceededInstances": -1,
    }
    assert roles["worker"]["completion"] == {"minFailedInstances": 2, "minSucceededInstances": 1}


def test_resources_have_old_defaults(converted):
    """What version 1 gave a task that asked for nothing."""
    roles = converted.job.document["taskRoles"]
    assert roles["worker"]["resourcePerInstance"] == {"cpu": 1, "memoryMB": 100, "gpu": 4}
    assert roles["worker"]["extraContainerOptions"] == {"shmMB": 64}
    assert roles["psserver"]["resourcePerInstance"]["ports"] == {"web": 2}
    assert roles["psserver"]["instances"] == 2


def test_variables_are_exported_and_quoted(converted):
    """Folders and the job's own variables are set before the command, safe from the shell."""
    commands = converted.job.document["taskRoles"]["worker"]["commands"]
    assert "export PAI_DATA_DIR='hdfs://1.2.3.4:9000/data set'" in commands
    assert "export LR='0.1 '\"'\"'quoted'\"'\"''" in commands
    assert "export flag=true" in commands
    assert commands[-1] == "python w.py"


def test_renamed_roles_are_renamed_in_commands(converted):
    """Variables that hold the name of a role follow its new name."""
    commands = converted.job.document["taskRoles"]["psserver"]["commands"]
    assert commands[-1] == "python ps.py --hosts $PAI_TASK_ROLE_psserver_HOST_LIST"


def test_lost_settings_are_reported(converted):
    """One sentence for each thing that is lost."""
    reported = "\n".join(converted.lost)
    for words in (
        "'cifar10.distributed~1' is not allowed any more",
        "'outputDir' has a variable",
        "copied 'hdfs://1.2.3.4:9000/code'",
        "'jobEnvs.isDebug'",
        "'ps_server' is called 'psserver'",
        "fixed port 8080",
        "'gpuType: K80'",
        "credentials in 'hdfs://1.2.3.4:9000/auth'",
        "errexit",
    ):
        assert words in reported


def test_unlimited_retries_are_reported():
    """-2 retried without end; version 2 has no such thing."""
    small = {"jobName": "a", "image": "i:1", "taskRoles": [{"name": "w", "command": "x"}]}
    conversion = convert_v1({**small, "retryCount": -2})
    assert conversion.job.document["jobRetryCount"] == 0
    assert "retryCount: -2" in "\n".join(conversion.lost)


def test_version_is_detected(minimal):
    """A job of version 1 has a jobName and no protocolVersion."""
    assert is_v1(OLD)
    assert not is_v1(minimal)
    with pytest.raises(ProtocolError, match="Not a job of version 1"):
        convert_v1(minimal)
