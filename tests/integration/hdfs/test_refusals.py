"""What a real HDFS refuses is told in a sentence, and nothing is half done."""

from __future__ import annotations

import getpass
import os

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.storage import StorageSpec, open_storage
from openpai.storage.testing.helpers import write


@pytest.fixture
def admin(hdfs, folder):
    """Return alice's folder, opened by the superuser."""
    return hdfs.open(folder, user=getpass.getuser())


def test_no_permission(hdfs, folder) -> None:
    """Another user's folder cannot be changed."""
    write(hdfs.open(folder), "/file")
    mallory = hdfs.open(folder, user="mallory")
    with pytest.raises(PermissionError, match="'main:/new'"):
        write(mallory, "/new")
    with pytest.raises(PermissionError, match="'main:/file'"):
        mallory.delete("/file")
    assert [entry.name for entry in mallory.list("/")] == ["file"]


def test_safe_mode(hdfs, folder) -> None:
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


def test_quota(hdfs, folder, admin) -> None:
    """A full quota is an error of its own kind, and leaves no part of the file."""
    storage = hdfs.open(folder)
    admin._ask("PUT", "/", "SETQUOTA", namespacequota=2, storagespacequota=-1)
    write(storage, "/one")
    with pytest.raises(OSError, match=rf"{os.strerror(122)}: 'main:/two'"):
        write(storage, "/two")
    admin._ask("PUT", "/", "SETQUOTA", namespacequota=-1, storagespacequota=-1)
    assert [entry.name for entry in storage.list("/")] == ["one"]


def test_quota_of_space(hdfs, folder, admin) -> None:
    """A quota of bytes that is used up is the same error, for files small and large."""
    storage = hdfs.open(folder)
    admin._ask("PUT", "/", "SETQUOTA", namespacequota=-1, storagespacequota=1 << 20)
    for size in (10, 3_000_000):
        with pytest.raises(OSError, match=rf"{os.strerror(122)}: 'main:/file'"):
            write(storage, "/file", b"x" * size)
    admin._ask("PUT", "/", "SETQUOTA", namespacequota=-1, storagespacequota=-1)
    assert list(storage.list("/")) == []


@pytest.mark.parametrize("name", ["a:b", "x" * 256, "\udcff"])
def test_names_that_hdfs_cannot_hold(hdfs, folder, name: str) -> None:
    """A name that HDFS cannot hold is refused as a name."""
    with pytest.raises(OSError, match=r"main:/"):
        write(hdfs.open(folder), f"/{name}")


def test_data_nodes_that_cannot_be_found(hdfs, folder) -> None:
    """Where data nodes have internal names, the error names them and the way out."""
    with pytest.raises(ConnectionFailed, match=r"dn\d\.invalid:\d+ does not answer") as caught:
        write(hdfs.open(folder, datanodes={}), "/file")
    assert "datanodes" in caught.value.hint
    assert list(hdfs.open(folder).list("/")) == []


def test_one_address_for_all_data_nodes(hdfs, folder) -> None:
    """With ``*`` and a host only the host of each redirect is replaced."""
    storage = hdfs.open(folder, datanodes={"*": "127.0.0.1"})
    write(storage, "/file", b"x")
    with storage.open_read("/file") as stream:
        assert stream.read() == b"x"


def test_no_hdfs_there(hdfs) -> None:
    """An address where nothing or something else answers is named."""
    host, _, _ = hdfs.uri.rpartition(":")
    for uri in (f"{host}:1", hdfs.uri + "/elsewhere"):
        storage = open_storage(StorageSpec("main", "hdfs", {"uri": uri}))
        with pytest.raises(OpenPaiError, match="HDFS"):
            storage.stat("/")


@pytest.mark.parametrize("uri", ["", "namenode:9870", "hdfs://namenode:8020"])
def test_bad_addresses(uri: str) -> None:
    """An address that is none is refused before anything is sent."""
    with pytest.raises(StorageError, match="is no WebHDFS address"):
        open_storage(StorageSpec("main", "hdfs", {"uri": uri}))


def test_a_token_stays_secret(hdfs) -> None:
    """A token, which travels in the address of a request, is in no message."""
    for uri, path in ((hdfs.uri, "/none"), ("http://127.0.0.1:1", "/")):
        data = {"uri": uri, "token": "very-secret"}
        storage = open_storage(StorageSpec("main", "hdfs", data))
        with pytest.raises((OpenPaiError, OSError)) as caught:
            storage.stat(path)
        assert "very-secret" not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_read_only(hdfs, folder) -> None:
    """A storage that is called read-only is not written."""
    data = {"uri": hdfs.uri, "user": "alice", "path": folder}
    storage = open_storage(StorageSpec("main", "hdfs", data, read_only=True))
    with pytest.raises(PermissionError, match="Read-only storage"):
        storage.mkdir("/d")
