"""Old jobs go when they are asked to, and nothing else does."""

import pytest

from openpai.core.local.daemon import prune


@pytest.mark.process
def test_prune_removes_ended_jobs(cluster, client, job_text):
    """Record, logs and folder are gone; a job that runs stays; the name is free again."""
    client.submit(job_text("old", "echo x"))
    client.wait("old")
    client("PUT", client.path("old") + "/tag", json={"value": "t"})
    folder = cluster.folder / "jobs" / client.job("old")["debugId"]
    client.submit(job_text("still", "sleep 600"))
    client.wait("still", "RUNNING")
    assert folder.is_dir()
    assert prune(cluster.folder, older_than=0) == [f"{client.user}~old"]
    assert client("GET", client.path("old")).status_code == 404
    assert not folder.exists()
    assert client.status("still")["state"] == "RUNNING"
    client.stop("still")
    client.wait("still")
    assert client.submit(job_text("old")).status_code == 202
    assert client.wait("old")["tags"] == []


@pytest.mark.process
def test_prune_keeps_young_jobs(cluster, client, job_text):
    """Only what has been over for so long is removed."""
    client.submit(job_text("young"))
    client.wait("young")
    assert f"{client.user}~young" not in prune(cluster.folder, older_than="1h")
    assert client.status("young")["state"] == "SUCCEEDED"


def test_prune_without_cluster_does_nothing(tmp_path):
    """There is nothing to remove, and nothing is made."""
    assert prune(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_invalid_duration_raises(tmp_path):
    """It is refused before anything is touched."""
    with pytest.raises(ValueError, match="invalid duration"):
        prune(tmp_path, older_than="soon")
