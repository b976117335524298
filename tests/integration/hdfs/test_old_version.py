"""HDFS 2.7.3, as older clusters run it: no usual block size told, parts only of whole blocks."""

from __future__ import annotations

import getpass
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpai.core.storage import Storage
from openpai.core.transfer import download, upload
from openpai.storage.testing import StorageConformance

from .cluster import Hdfs, bean
from .hadoop import OLD_POM, until


class OldHdfs(Hdfs):
    """The servers of one old name node."""

    pom = OLD_POM

    def wait(self) -> None:
        """Wait until the name node knows all data nodes; they tell nothing themselves."""

        def ready() -> bool:
            state = bean(self.uri, "NameNode", "FSNamesystemState")
            known = state.get("NumLiveDataNodes") == len(self.datanodes)
            return known and state.get("FSState") == "Operational"

        until(ready, "the start of HDFS")


@pytest.fixture(scope="module")
def hdfs(hadoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldHdfs]:
    """Return a running HDFS."""
    servers = OldHdfs(tmp_path_factory.mktemp("old"))
    try:
        servers.start("namenode", "dn0", "dn1")
        servers.wait()
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def folder(hdfs: OldHdfs) -> str:
    """Return a folder of the test's own, which need not exist."""
    return f"/tests/{os.urandom(4).hex()}"


@pytest.fixture
def storage(hdfs: OldHdfs, folder: str) -> Storage:
    """Return an empty storage there."""
    hdfs.open("/", user=getpass.getuser()).mkdir(folder)
    return hdfs.open(folder, user=getpass.getuser())


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make parts small; which size is usual is not told."""
    monkeypatch.setattr("openpai.storage.hdfs_upload.PART", 1 << 20)


class TestOldHdfs(StorageConformance):
    """It keeps every promise of the storage interface, too."""


def test_there_and_back(storage: Storage, tmp_path: Path) -> None:
    """A file of several blocks goes in parts, which its name node joins, and comes back."""
    content = random.Random(3).randbytes((5 << 20) + 700)
    (tmp_path / "file").write_bytes(content)
    with storage.begin_upload("/file", len(content)) as begun:
        assert (begun.part_size, begun.parts, begun.algorithm) == (1 << 20, 6, "")
        begun.abort()
    upload(storage, tmp_path / "file", "/d/file")
    assert [entry.name for entry in storage.list("/d")] == ["file"]
    download(storage, "/d/file", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
