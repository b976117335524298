"""HDFS 2.7.3, as older clusters run it: parts are whole blocks, of a size that it does not tell."""

from __future__ import annotations

import getpass
import os
import random
from pathlib import Path

import pytest
from support.servers.hdfs import OldHdfs

from openpai.core.storage.base import Storage
from openpai.core.storage.transfer.transfer import download, upload
from openpai.storage.hdfs.auth import Auth
from openpai.storage.hdfs.client import WebHdfs
from openpai.storage.hdfs.storage import HdfsStorage
from openpai.storage.testing import StorageConformance

PART = 4 << 20


@pytest.fixture
def storage(old_hdfs: OldHdfs) -> Storage:
    """Return an empty storage with small parts: the server does not tell which size is usual."""
    folder, user = f"/tests/{os.urandom(4).hex()}", getpass.getuser()
    old_hdfs.open("/", user=user).mkdir(folder)
    client = WebHdfs([old_hdfs.uri], Auth({"user.name": user}), datanodes=old_hdfs.datanodes)
    return HdfsStorage(client, "main", folder, part_size=PART)


class TestOldHdfs(StorageConformance):
    """It keeps every promise of the storage interface, too."""


def test_large_file_goes_in_parts(storage: Storage, tmp_path: Path) -> None:
    """A file of several blocks goes in parts, which its name node joins, and comes back."""
    content = random.Random(3).randbytes(5 * PART + 700)
    (tmp_path / "file").write_bytes(content)
    with storage.begin_upload("/file", len(content)) as begun:
        assert (begun.part_size, begun.parts, begun.algorithm) == (PART, 6, "")
        begun.abort()
    upload(storage, tmp_path / "file", "/d/file")
    assert [entry.name for entry in storage.list("/d")] == ["file"]
    download(storage, "/d/file", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
