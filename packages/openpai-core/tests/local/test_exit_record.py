"""A task whose end is known and cannot be written down yet counts as running, never as lost."""

from __future__ import annotations

import json
import os
import resource
import threading
from pathlib import Path

import pytest
from support.wait import wait_until

from openpai.core.local import LocalCluster
from openpai.core.local.executor.supervisor.state import ROOM, claim, write_exit

pytestmark = pytest.mark.process

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
RECORD = {"status": 0, "logError": ""}


def test_end_that_cannot_be_written_is_written_later(tmp_path, plain_client, job_text) -> None:
    """The supervisor keeps trying; the job ends with its own exit code and ran once."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process bound another's files")
    runs, flag = tmp_path / "runs", tmp_path / "flag"
    command = f"echo run >> {runs}\nuntil [ -e {flag} ]; do sleep 0.05; done\nexit 7"
    with LocalCluster(tmp_path / "state", cpus=4, memory_mb=4096, grace=1) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        client.submit(job_text("once", command))
        wait_until(runs.exists)
        (started,) = (tmp_path / "state").glob("jobs/*/*/started.json")
        supervisor = int(json.loads(started.read_text())["pid"])
        resource.prlimit(supervisor, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        assert children.read_text().split()
        flag.touch()
        wait_until(lambda: not children.read_text().split(), "the end of the command")
        os.kill(supervisor, 0)
        assert client.status("once")["state"] == "RUNNING"
        resource.prlimit(supervisor, resource.RLIMIT_FSIZE, UNLIMITED)
        client.wait("once")
        assert "originUserExitCode: 7" in json.dumps(client.task("once"))
        assert runs.read_text() == "run\n"
        client.close()


def test_room_for_exit_is_taken_with_the_task(tmp_path: Path) -> None:
    """The room is there before the task counts as started, and the record has none of it left."""
    assert claim(str(tmp_path))
    assert (tmp_path / "exit.json.new").stat().st_size == ROOM
    write_exit(str(tmp_path), {**RECORD, "logError": "\U0001f4be" * 5000})
    assert not (tmp_path / "exit.json.new").exists()
    assert len(json.loads((tmp_path / "exit.json").read_text())["logError"]) == 500
    assert (tmp_path / "exit.json").stat().st_size < ROOM


def test_exit_of_removed_task_is_given_up(tmp_path: Path) -> None:
    """Where the task's folder is gone, nobody waits for the record."""
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "exit.json.new").mkdir()  # cannot be written
    writing = threading.Thread(target=write_exit, args=(str(folder), RECORD))
    writing.start()
    assert writing.is_alive()
    folder.rename(tmp_path / "away")
    writing.join(60)
    assert not writing.is_alive()
