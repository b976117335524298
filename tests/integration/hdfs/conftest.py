"""Folders of a real HDFS.

Its data nodes give themselves names that nobody can look up, as those behind a proxy do, so that
every test also goes through rewritten redirects.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.servers.hdfs import Hdfs

from openpai.core.storage.base import StorageSpec


@pytest.fixture
def folder(hdfs: Hdfs) -> Iterator[str]:
    """Return an empty folder of alice's own."""
    path = f"/users/alice/{os.urandom(4).hex()}"
    storage = hdfs.open("/")
    storage.mkdir(path)
    yield path
    storage.delete(path, recursive=True)


@pytest.fixture
def spec(hdfs: Hdfs, folder: str) -> StorageSpec:
    """Return that folder as the storage ``main``."""
    data = {"uri": hdfs.uri, "user": "alice", "path": folder, "datanodes": hdfs.datanodes}
    return StorageSpec("main", "hdfs", data)
