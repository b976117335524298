"""A job finds its storages, and leaves the machine as it was."""

import ctypes
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from openpai.core.local import LocalCluster
from openpai.core.local.executor.engine import Mount
from openpai.core.local.executor.supervisor import mounts
from openpai.core.local.executor.task_spec import storage_mounts

MOUNT = """
from openpai.core.local.executor.supervisor.mounts import mount_folders
print(*mount_folders([{"name": "n", "source": "/usr", "target": "/usr"}]))
"""
ALLOWED = b"storage n is at /usr" in subprocess.check_output([sys.executable, "-c", MOUNT])
needs_mounts = pytest.mark.skipif(not ALLOWED, reason="this machine allows no mount namespaces")


def _names(folder):
    return sorted(item.name for item in Path(folder).iterdir())


@pytest.fixture
def storage_cluster(tmp_path):
    """A cluster with a second storage that holds a file."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "word").write_text("found\n")
    with LocalCluster(storages={"team": str(data)}, grace=1) as cluster:
        yield cluster


@pytest.fixture
def storage_client(storage_cluster, plain_client):
    """A client of that cluster."""
    client = plain_client(storage_cluster.uri, storage_cluster.user, storage_cluster.token)
    yield client
    client.close()


def test_cluster_lists_storages(storage_cluster, storage_client):
    """The first one is the default; each is an NFS share of this very machine."""
    listed = storage_client("GET", "/storages").json()["storages"]
    assert [(item["name"], item["default"]) for item in listed] == [
        ("local-storage", True),
        ("team", False),
    ]
    one = storage_client("GET", "/storages/local-storage").json()
    assert one["type"] == "nfs"
    assert one["data"] == {"server": "127.0.0.1", "path": f"{storage_cluster.folder}/storage"}


@pytest.mark.process
@needs_mounts
def test_job_sees_storage_at_mnt(storage_client, job_text, tmp_path):
    """Under /mnt/<name> it reads and writes the storage; the machine's /mnt stays as it was."""
    before = _names("/mnt")
    text = job_text("mounted", "cat /mnt/team/word; echo new > /mnt/team/made; ls /mnt")
    storage_client.submit(text + "extras: {storages: [{name: team}]}\n")
    assert storage_client.wait("mounted")["jobStatus"]["state"] == "SUCCEEDED"
    assert storage_client.log("mounted").split() == ["found", *sorted([*before, "team"])]
    assert (tmp_path / "data" / "made").read_text() == "new\n"
    assert _names("/mnt") == before


@pytest.mark.process
@needs_mounts
def test_storage_is_mounted_at_requested_path(storage_client, job_text, tmp_path):
    """MountPath names the place; two tasks do not see each other's."""
    place = tmp_path / "data" / "in" / "itself"  # shown inside of what it shows
    text = job_text("placed", f"cat {place}/word")
    storage_client.submit(text + f"extras: {{storages: [{{name: team, mountPath: {place}}}]}}\n")
    assert storage_client.wait("placed")["jobStatus"]["state"] == "SUCCEEDED"
    assert storage_client.log("placed") == "found\n"
    assert not place.exists()


@pytest.mark.process
def test_unmountable_storage_is_reported(storage_client, job_text):
    """The job runs; its runtime.log says where the storage is instead."""
    text = job_text("unplaced", "python3 -c \"import os; print(os.environ['OPENPAI_STORAGES'])\"")
    text += "extras: {storages: [{name: team, mountPath: /no-such-folder-here/at-all}]}\n"
    storage_client.submit(text)
    assert storage_client.wait("unplaced")["jobStatus"]["state"] == "SUCCEEDED"
    reported = storage_client.log("unplaced", "runtime.log")
    assert "storage team is not at /no-such-folder-here/at-all" in reported
    assert "see OPENPAI_STORAGES" in reported
    assert "team" in storage_client.log("unplaced")


def test_requested_storages_are_mounted():
    """Nothing unless the job asks; an empty list means the default; strangers are left out."""
    storages = {"first": Path("/one"), "second": Path("/two")}
    assert storage_mounts({}, storages) == []
    assert storage_mounts({"extras": {"storages": []}}, storages) == [
        Mount("first", "/one", "/mnt/first")
    ]
    asked = [{"name": "second", "mountPath": "/x"}, {"name": "third"}, {}]
    assert storage_mounts({"extras": {"storages": asked}}, storages) == [
        Mount("second", "/two", "/x")
    ]


def test_missing_namespace_mounts_nothing(monkeypatch):
    """The reason is returned, and where the folder is."""

    class Refusing:
        """A system that allows no namespaces."""

        def unshare(self, _flags):
            ctypes.set_errno(errno.EPERM)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing())
    wanted = [{"name": "n", "source": "/here", "target": "/there"}]
    (reported,) = mounts.mount_folders(wanted)
    assert "does not allow it (Operation not permitted)" in reported
    assert "it is at /here" in reported
