"""What a real HDFS refuses: one sentence each, and nothing is half done."""

from __future__ import annotations

import os

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.storage.testing.helpers import write


def test_write_to_other_users_folder_is_refused(hdfs, folder) -> None:
    """Another user's folder cannot be changed."""
    write(hdfs.open(folder), "/file")
    mallory = hdfs.open(folder, user="mallory")
    with pytest.raises(PermissionError, match="'main:/new'"):
        write(mallory, "/new")
    with pytest.raises(PermissionError, match="'main:/file'"):
        mallory.delete("/file")
    assert [entry.name for entry in mallory.list("/")] == ["file"]


def test_full_quota_of_names_is_named(hdfs, folder) -> None:
    """A full quota is an error of its own kind, and leaves no part of the file."""
    storage = hdfs.open(folder)
    hdfs.set_quota(folder, names=2)
    write(storage, "/one")
    with pytest.raises(OSError, match=rf"{os.strerror(122)}: 'main:/two'"):
        write(storage, "/two")
    hdfs.set_quota(folder)
    assert [entry.name for entry in storage.list("/")] == ["one"]


def test_full_quota_of_space_is_named(hdfs, folder) -> None:
    """A quota of bytes that is used up is the same error, for files small and large."""
    storage = hdfs.open(folder)
    hdfs.set_quota(folder, space=1 << 20)
    for size in (10, 3_000_000):
        with pytest.raises(OSError, match=rf"{os.strerror(122)}: 'main:/file'"):
            write(storage, "/file", b"x" * size)
    hdfs.set_quota(folder)
    assert list(storage.list("/")) == []


@pytest.mark.parametrize("name", ["a:b", "x" * 256, "\udcff"])
def test_name_that_hdfs_cannot_hold_is_refused(hdfs, folder, name: str) -> None:
    """A name that HDFS cannot hold is refused as a name."""
    with pytest.raises(OSError, match=r"main:/"):
        write(hdfs.open(folder), f"/{name}")


def test_unknown_data_nodes_are_named(hdfs, folder) -> None:
    """Where data nodes have internal names, the error names them and the way out."""
    with pytest.raises(ConnectionFailed, match=r"dn\d\.invalid:\d+ does not answer") as caught:
        write(hdfs.open(folder, datanodes={}), "/file")
    assert "datanodes" in caught.value.hint
    assert list(hdfs.open(folder).list("/")) == []


def test_wildcard_replaces_host_of_all_data_nodes(hdfs, folder) -> None:
    """With ``*`` and a host only the host of each redirect is replaced."""
    storage = hdfs.open(folder, datanodes={"*": "127.0.0.1"})
    write(storage, "/file", b"x")
    with storage.open_read("/file") as stream:
        assert stream.read() == b"x"


def test_missing_hdfs_is_named(hdfs) -> None:
    """An address where nothing or something else answers is named."""
    host, _, _ = hdfs.uri.rpartition(":")
    for uri in (f"{host}:1", hdfs.uri + "/elsewhere"):
        storage = open_storage(StorageSpec("main", "hdfs", {"uri": uri}))
        with pytest.raises(OpenPaiError, match="HDFS"):
            storage.stat("/")


@pytest.mark.parametrize("uri", ["", "namenode:9870", "hdfs://namenode:8020"])
def test_bad_address_is_refused(uri: str) -> None:
    """A malformed address is refused before anything is sent."""
    with pytest.raises(StorageError, match="is no WebHDFS address"):
        open_storage(StorageSpec("main", "hdfs", {"uri": uri}))


def test_token_stays_secret(hdfs) -> None:
    """A token, which travels in the address of a request, is in no message."""
    for uri, path in ((hdfs.uri, "/none"), ("http://127.0.0.1:1", "/")):
        data = {"uri": uri, "token": "very-secret"}
        storage = open_storage(StorageSpec("main", "hdfs", data))
        with pytest.raises((OpenPaiError, OSError)) as caught:
            storage.stat(path)
        assert "very-secret" not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_read_only_storage_refuses_changes(hdfs, folder) -> None:
    """A storage that is called read-only is not written."""
    data = {"uri": hdfs.uri, "user": "alice", "path": folder}
    storage = open_storage(StorageSpec("main", "hdfs", data, read_only=True))
    with pytest.raises(PermissionError, match="Read-only storage"):
        storage.mkdir("/d")
