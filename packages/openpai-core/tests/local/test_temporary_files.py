"""Temporary files of tasks."""

from pathlib import Path

import pytest
from support.wait import wait_until

pytestmark = pytest.mark.process


def folder_of(client, name):
    """Return the temporary folder of a job's task, once the task has reported it."""
    client.wait(name, "RUNNING")
    return Path(wait_until(lambda: client.log(name).strip(), "the task's report"))


def test_tmpdir_is_private_and_removed_at_the_end(client, job_text, gate):
    client.submit(job_text("temp", 'f=$(mktemp) && echo x > "$f" && echo "$TMPDIR"', gate.command))
    folder = folder_of(client, "temp")
    assert (folder.stat().st_mode & 0o777, len(list(folder.iterdir()))) == (0o700, 1)
    gate.open()
    assert client.wait("temp")["jobStatus"]["state"] == "SUCCEEDED"
    assert not folder.exists()


def test_tmpdir_of_lost_task_is_removed(cluster, client, job_text, gate):
    client.submit(job_text("lost", 'mktemp > /dev/null && echo "$TMPDIR"', gate.command))
    folder = folder_of(client, "lost")
    cluster.lose_node()
    wait_until(lambda: not folder.exists(), "the removal")
    gate.open()
    client.wait("lost")
