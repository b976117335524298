"""A real HDFS whose servers are killed and restarted, or that is in safe mode."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest
from support.servers.hdfs import Hdfs
from support.wait import wait_until

from openpai.core.errors import ConnectionFailed, OpenPaiError
from openpai.core.storage.transfer.transfer import Options, upload
from openpai.storage.testing.helpers import read, write

pytestmark = pytest.mark.xdist_group("hdfs-own")


@pytest.fixture(scope="module")
def hdfs(hadoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hdfs]:
    """Return an HDFS that no other test uses."""
    with Hdfs(tmp_path_factory.mktemp("hdfs")) as servers:
        yield servers


def wait_for_content(hdfs: Hdfs, storage, content: bytes) -> None:
    """Wait until a file can be read, over errors of servers that have just started."""

    def found() -> bool:
        with suppress(OpenPaiError):
            return read(storage, "/file") == content
        return False

    wait_until(found, "the content of the file", show=hdfs.logs)


def test_safe_mode_is_named(hdfs, folder) -> None:
    """In safe mode files can be read but not written, and the error says why."""
    storage = hdfs.open(folder)
    write(storage, "/file", b"kept")
    hdfs.administer("-safemode", "enter")
    try:
        with pytest.raises(PermissionError, match="HDFS is in safe mode: 'main:/new'"):
            write(storage, "/new")
        with storage.open_read("/file") as stream:
            assert stream.read() == b"kept"
    finally:
        hdfs.administer("-safemode", "leave")


def test_killed_data_nodes_leave_old_file(hdfs, folder) -> None:
    """Data nodes that are killed while they take a file are an error, and harm nothing."""
    storage = hdfs.open(folder)
    write(storage, "/file", b"old")

    def write_and_kill() -> None:
        with storage.open_write("/file") as stream:
            stream.write(b"x" * 3_000_000)
            for name in ("dn0", "dn1"):
                hdfs.kill(name)
            for _ in range(30):
                stream.write(b"x" * 3_000_000)

    try:
        with pytest.raises(OpenPaiError):
            write_and_kill()
    finally:
        hdfs.start_node("dn0", "dn1")
        hdfs.wait()
    wait_for_content(hdfs, storage, b"old")
    write(storage, "/file", b"new")
    assert read(storage, "/file") == b"new"


def test_restarted_name_node_keeps_files(hdfs, folder) -> None:
    """While the name node is away the error says so; afterwards everything is there.

    A data node's first call over its old connection to the name node fails, and with it a read.
    """
    storage = hdfs.open(folder)
    write(storage, "/file", b"kept")
    hdfs.kill("namenode")
    with pytest.raises(ConnectionFailed, match=r"localhost:\d+ does not answer"):
        storage.stat("/file")
    hdfs.start_node("namenode")
    hdfs.wait()
    wait_for_content(hdfs, storage, b"kept")


def test_upload_survives_restart_of_data_node(hdfs, folder, tmp_path) -> None:
    """An upload continues by itself when a data node is killed under it and restarts."""
    content = random.Random(7).randbytes(40 << 20)
    (tmp_path / "file").write_bytes(content)
    storage = hdfs.open(folder)
    counted = []

    def restart_once(count: int) -> None:
        counted.append(count)
        if len(counted) == 5:
            hdfs.kill("dn0")
            hdfs.start_node("dn0")

    try:
        options = Options(retries=10)  # a JVM may take long to start
        upload(storage, tmp_path / "file", "/file", on_bytes=restart_once, options=options)
    finally:
        hdfs.wait()
    assert len(counted) > 5
    assert read(storage, "/file") == content
