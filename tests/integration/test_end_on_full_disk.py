"""What becomes of jobs whose end, or whose stop, falls into a time when the disk is full."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from support.wait import wait_until

from openpai.core import Cluster, Job
from openpai.core.errors import OpenPaiError
from openpai.core.local import LocalCluster, daemon

pytestmark = pytest.mark.process


def _fill(disk: Path) -> Path:
    """Leave no room; return the file that took it."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return filler


class Waiting:
    """A job that writes a line for each run and exits with 7 once a flag is there."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.runs, self.flag = folder / "runs", folder / "flag"
        command = f"echo run >> {self.runs}; until [ -e {self.flag} ]; do sleep 0.05; done; exit 7"
        role = {"instances": 1, "dockerImage": "i", "commands": [command], **more}
        amounts = {"cpu": 1, "gpu": 0, "memoryMB": 64}
        self.job = Job.from_dict(
            {
                "protocolVersion": 2,
                "name": "waiting",
                "type": "job",
                "prerequisites": [{"type": "dockerimage", "name": "i", "uri": "x"}],
                "taskRoles": {"worker": {**role, "resourcePerInstance": amounts}},
                "extras": {"gangAllocation": False},
            }
        )

    @property
    def count(self) -> int:
        """How often it was run."""
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0


def _supervisor(state: Path) -> int:
    """Return the process that holds the only task."""
    (started,) = wait_until(lambda: list(state.glob("jobs/*/*/started.json")), "a task")
    return int(json.loads(started.read_text())["pid"])


def _is_gone(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    """Return the job."""
    return Waiting(tmp_path)


def test_job_ending_on_full_disk_runs_once(disk: Path, waiting: Waiting) -> None:
    """Its end is written into reserved space, and reported once the records have space again."""
    with (
        LocalCluster(disk / "state", cpus=4, memory_mb=4096) as local,
        Cluster(local.uri, user=local.user, token=local.token) as client,
    ):
        job = client.submit(waiting.job)
        wait_until(lambda: waiting.count == 1 and job.state() == "RUNNING")
        supervisor = _supervisor(disk / "state")
        filler = _fill(disk)
        waiting.flag.touch()
        wait_until(lambda: _is_gone(supervisor), "the end of the supervisor")
        assert job.state() == "RUNNING"
        filler.unlink()
        assert job.wait(timeout=60).state == "FAILED"
        ((_, task),) = job.tasks()
        assert "originUserExitCode: 7" in str(task.raw)
        assert waiting.count == 1
        assert len(list((disk / "state").glob("jobs/*/*/started.json"))) == 1


def test_retry_after_full_disk_starts_once(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Retries that could not be written down are not started later beside the one that was."""
    waiting = Waiting(tmp_path, taskRetryCount=1)
    with (
        LocalCluster(disk / "state", cpus=4, memory_mb=4096) as local,
        Cluster(local.uri, user=local.user, token=local.token) as client,
    ):
        job = client.submit(waiting.job)
        wait_until(lambda: waiting.count == 1 and job.state() == "RUNNING")
        filler = _fill(disk)
        waiting.flag.touch()
        wait_until(lambda: caplog.text.count("a turn of the controller failed") > 2, "failed turns")
        filler.unlink()
        assert job.wait(timeout=60).state == "FAILED"
        assert waiting.count == 2
        assert len(list((disk / "state").glob("jobs/*/*/plan.json"))) == 2


def _stop(running: Any) -> requests.Response:
    return requests.put(
        f"{running.uri}/rest-server/api/v2/jobs/{running.user}~waiting/executionType",
        json={"value": "STOP"},
        headers={"Authorization": f"Bearer {running.token}"},
        timeout=60,
    )


def test_refused_stop_stops_nothing_later(disk: Path, waiting: Waiting, tmp_path: Path) -> None:
    """A stop that could not be written down is refused, and the job runs to its own end."""
    (tmp_path / "other").mkdir()
    other = Waiting(tmp_path / "other")
    other.flag.touch()
    with (
        LocalCluster(disk / "state", cpus=4, memory_mb=4096) as local,
        Cluster(local.uri, user=local.user, token=local.token) as client,
    ):
        job = client.submit(waiting.job)
        wait_until(lambda: waiting.count == 1 and job.state() == "RUNNING")
        filler = _fill(disk)
        assert _stop(local).status_code == 500
        filler.unlink()
        client.submit(other.job.renamed("other")).wait(timeout=60)  # some turns of the cluster
        assert job.state() == "RUNNING"
        waiting.flag.touch()
        assert job.wait(timeout=60).state == "FAILED"
        assert _stop(local).status_code == 202


def test_down_tells_of_jobs_that_could_not_be_stopped(disk: Path, waiting: Waiting) -> None:
    """``down`` with ``stop_jobs`` fails, names the job, and leaves the cluster up."""
    state = disk / "state"
    running = daemon.up(state, cpus=4, memory_mb=4096, grace=1)
    filler = disk / "none"
    try:
        with Cluster(running.uri, user=running.user, token=running.token) as client:
            job = client.submit(waiting.job)
            wait_until(lambda: waiting.count == 1 and job.state() == "RUNNING")
            filler = _fill(disk)
            with pytest.raises(OpenPaiError, match=r"could be stopped: \S+~waiting .*full"):
                daemon.down(state, stop_jobs=True, timeout=5)
            assert daemon.status(state)
            filler.unlink()
            assert job.state() == "RUNNING"
    finally:
        with suppress(FileNotFoundError):
            filler.unlink()
        daemon.down(state, stop_jobs=True)
    assert daemon.status(state) is None


def test_container_verdict_is_kept_on_full_disk(disk: Path) -> None:
    """A container writes how it ended into room that was kept when it was made."""
    import subprocess

    from openpai.core.execution.task_plan import Limits
    from openpai.core.local.executor.container_files import write_container_files
    from openpai.core.local.executor.engine import Image, TaskScript, TaskSpec
    from openpai.core.local.executor.supervisor.container import verdict

    for folder in ("logs/uid", "steps", "runtime.d"):
        (disk / folder).mkdir(parents=True)
    script = disk / "runtime.d" / "0-main.sh"
    script.write_text("exit 7\n")
    task = TaskSpec(
        uid="uid",
        folder=disk,
        environment={},
        steps=[TaskScript("main", "exit 7", "main", "fail")],
        mounts=[],
        storages={},
        image=Image("x"),
        limits=Limits(cpu=1, memory_mb=64, gpu=0, shm_mb=64),
    )
    write_container_files(task, [script], "")
    entry = disk / "steps" / "entry.sh"
    entry.write_text(entry.read_text().replace("/usr/local/pai", str(disk)))
    filler = _fill(disk)
    done = subprocess.run(
        ["bash", str(entry)],
        env={"FC_POD_UID": "uid", "PATH": os.environ["PATH"]},
        check=False,
    )
    filler.unlink()
    assert done.returncode == 7
    assert verdict(str(disk / "verdict"), 7, stopped=False) == ("main", 7, "")
