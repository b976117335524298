"""``opai storage`` works on an HDFS that the user attached to a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import yaml


def test_commands_work_on_attached_hdfs(
    opai, clean_home: Path, tmp_path: Path, hdfs, folder
) -> None:
    """It is listed with the cluster's own storages and takes the same commands."""
    opai("local", "up")
    file = clean_home / "clusters.yaml"
    clusters = yaml.safe_load(file.read_text())
    attached = {
        "name": "hdfs-main",
        "type": "hdfs",
        "uri": hdfs.uri,
        "user": "alice",
        "path": folder,
        "datanodes": hdfs.datanodes,
    }
    clusters[0]["storages"] = [attached]
    file.write_text(yaml.safe_dump(clusters))
    (tmp_path / "work" / "hello").write_text("hello")

    listed = json.loads(opai("storage", "list-storage", "-o", "json").stdout)
    assert [item["name"] for item in listed] == ["local-storage", "hdfs-main"]
    opai("storage", "upload", "hello", "hdfs-main:/d/")
    assert opai("storage", "cat", "hdfs-main:/d/hello").stdout == "hello"
    opai("storage", "download", "hdfs-main:/d")
    assert (tmp_path / "work" / "d" / "hello").read_text() == "hello"
    opai("storage", "list", "hdfs-main:/none", code=4)
    opai("storage", "delete", "hdfs-main:/d", "-r")
    assert opai("storage", "list", "hdfs-main:/").stdout == ""
