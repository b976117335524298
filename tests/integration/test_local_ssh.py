"""The ssh plugin on the local cluster, with the real OpenSSH."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

import pytest
from support.wait import wait_until

from openpai.core import Cluster, Job
from openpai.core.local import LocalCluster


@pytest.fixture
def client(needs):
    """A client of a local cluster on a machine with OpenSSH."""
    needs("sshd")
    with ExitStack() as stack:
        local = stack.enter_context(LocalCluster(cpus=8, memory_mb=8192, gpus=0, grace=2))
        yield stack.enter_context(Cluster(local.uri, user=local.user, token=local.token))


def job(name, *commands, **parameters):
    """Return a job of two workers that reach each other by ssh."""
    role = {
        "instances": 2,
        "dockerImage": "i",
        "completion": {"minFailedInstances": 1, "minSucceededInstances": -1},
        "resourcePerInstance": {"cpu": 1, "gpu": 0, "memoryMB": 256},
    }
    plugin = {"plugin": "ssh", "parameters": {"jobssh": True, **parameters}}
    return Job.from_dict(
        {
            "protocolVersion": 2,
            "name": name,
            "type": "job",
            "prerequisites": [{"type": "dockerimage", "name": "i", "uri": "x"}],
            "taskRoles": {"worker": {**role, "commands": list(commands)}},
            "extras": {"com.microsoft.pai.runtimeplugin": [plugin]},
        }
    )


def test_ssh_connects_tasks(client, tmp_path):
    """After the barrier `ssh worker-1` runs in the other task's place, and scp copies."""
    ended = client.submit(
        job(
            "reach",
            "other=worker-$((1 - PAI_TASK_INDEX)); there=$PWD/there",
            "ssh $other 'echo task $PAI_TASK_INDEX of $PAI_JOB_NAME says hello'",
            "echo copied > mine; scp -q mine $other:$there; ssh $other cat $there",
            "ssh $other 'exit 7' || echo status $?",
            f"echo > {tmp_path}/done-$PAI_TASK_INDEX",
            f"until [ -e {tmp_path}/done-0 ] && [ -e {tmp_path}/done-1 ]; do sleep 0.1; done",
            sshbarrier=True,
        )
    )
    assert ended.wait(timeout=120).state == "SUCCEEDED", "".join(ended.logs(stream="runtime.log"))
    for index in (0, 1):
        lines = list(ended.logs("worker", index, "stdout"))
        hello = f"task {1 - index} of {client.user}~reach says hello"
        assert lines == [hello, "copied", "status 7"]
        assert "All tasks are reached by ssh" in list(ended.logs("worker", index, "runtime.log"))


def test_ssh_refuses_other_key_and_ends_with_job(client, tmp_path):
    """Another key is refused; with the job its sshd ends."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    lasting = client.submit(job("closed", "echo ready; sleep 600", sshbarrier=True))
    begun = lambda: len(list(lasting.logs(stream="stdout"))) == 2  # noqa: E731
    wait_until(begun, "both tasks run", show=lambda: list(lasting.logs(stream="runtime.log")))
    port = dict(lasting.tasks())["worker"].ports("ssh")[0]
    known = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
    only = ("-F", "/dev/null", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", str(key))
    words = ["ssh", *only, *known, "-p", str(port), "127.0.0.1", "true"]
    refused = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert "Permission denied" in refused.stderr
    lasting.stop()
    assert lasting.wait(timeout=120).state == "STOPPED"
    closed = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert "Connection refused" in closed.stderr
