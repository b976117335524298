"""The local cluster on a disk of its own that is really full."""

from __future__ import annotations

from contextlib import ExitStack

import requests
from support.gate import Gate
from support.wait import wait_until

from openpai.core import Cluster, Job
from openpai.core.local import LocalCluster


def _fill(disk):
    """Leave no room; return the file that took it."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    except OSError:
        return filler


def _submit(local, job):
    headers = {"Authorization": f"Bearer {local.token}", "Content-Type": "text/yaml"}
    uri = f"{local.uri}/rest-server/api/v2/jobs"
    return requests.post(uri, data=job.to_yaml().encode(), headers=headers, timeout=60)


def _job(name, *commands):
    role = {"instances": 1, "dockerImage": "i", "commands": list(commands)}
    return Job.from_dict(
        {
            "protocolVersion": 2,
            "name": name,
            "type": "job",
            "prerequisites": [{"type": "dockerimage", "name": "i", "uri": "x"}],
            "taskRoles": {
                "worker": {**role, "resourcePerInstance": {"cpu": 1, "gpu": 0, "memoryMB": 64}}
            },
        }
    )


def test_full_disk_is_reported_and_survived(disk, tmp_path):
    """A full disk rejects new jobs, running jobs continue, and space restores service."""
    gate = Gate(tmp_path / "gate")
    with ExitStack() as stack:
        local = stack.enter_context(LocalCluster(disk / "state", cpus=4, memory_mb=4096, grace=1))
        client = stack.enter_context(Cluster(local.uri, user=local.user, token=local.token))
        commands = ("echo begun", gate.command, "seq 1 100000; exit 7")
        running = client.submit(_job("running", *commands))
        wait_until(lambda: "begun" in list(running.logs()), "the job runs", show=running.explain)
        wait_until(lambda: running.state() == "RUNNING", show=running.explain)
        filler = _fill(disk)
        answer = _submit(local, _job("refused", "true"))
        assert answer.status_code == 500
        assert "full" in answer.json()["message"]
        assert running.state() == "RUNNING"
        gate.open()
        assert client.session.get("/info")["name"]
        filler.unlink()
        assert running.wait(timeout=120).state == "FAILED"
        assert _submit(local, _job("refused", "true")).status_code == 202
