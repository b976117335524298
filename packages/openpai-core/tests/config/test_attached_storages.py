"""Storages that the user adds to a cluster in clusters.yaml."""

from openpai.core.client.cluster import Cluster
from openpai.core.config.clusters import ClusterEntry

ITEMS = [
    {"name": "hdfs-main", "type": "hdfs", "uri": "http://namenode:9870", "user": "alice"},
    {"name": "scratch", "type": "nfs", "mount_path": "/scratch", "read_only": True},
    {"name": "granted", "mount_path": "/mnt/granted"},
    {"storage_alias": "builtin", "protocol": "webHDFS"},
    "nonsense",
]


def test_items_with_type_are_attached_storages():
    """Their other keys are the address; items that only say a mount, or are old, are not taken."""
    entry = ClusterEntry("prod", "http://pai", settings={"storages": ITEMS})
    hdfs, scratch = entry.attached
    assert (hdfs.name, hdfs.type) == ("hdfs-main", "hdfs")
    assert hdfs.data == {"uri": "http://namenode:9870", "user": "alice"}
    assert (scratch.mount_path, scratch.read_only, scratch.data) == ("/scratch", True, {})
    assert entry.mounts == {"scratch": "/scratch", "granted": "/mnt/granted"}


def test_attached_storage_is_not_requested_from_server(tmp_path):
    """The cluster need not know it, nor answer."""
    (tmp_path / "file").touch()
    items = [{"name": "scratch", "type": "nfs", "mount_path": str(tmp_path)}]
    entry = ClusterEntry("prod", "http://127.0.0.1:1", settings={"storages": items})
    with Cluster(entry.uri, attached=entry.attached) as cluster:
        assert [entry.path for entry in cluster.storage("scratch").list("/")] == ["/file"]
