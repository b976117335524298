"""What an S3 server refuses: one sentence each, and nothing is half done."""

from __future__ import annotations

import errno
import hashlib
import io
import socket
from contextlib import suppress

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.storage.testing.helpers import BrokenOffError, read, write


def test_missing_keys_are_named(attached) -> None:
    """Where there are no keys at all, the error says where they could be."""
    with pytest.raises(StorageError, match="There are no keys for the bucket"):
        attached(access_key=None, secret_key=None).stat("/")


def test_keys_of_environment_are_used(attached, monkeypatch) -> None:
    """Keys are found where every AWS tool looks for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "alice")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert list(attached(access_key=None, secret_key=None).list("/")) == []


def test_missing_bucket_is_named(attached) -> None:
    """A bucket that does not exist is named, whatever is done."""
    storage = attached(uri="s3://nowhere-at-all")
    for act in (
        lambda: storage.stat("/"),
        lambda: list(storage.list("/")),
        lambda: storage.stat("/file"),
        lambda: write(storage, "/file"),
    ):
        with pytest.raises(StorageError, match="has no bucket 'nowhere-at-all'"):
            act()


def test_missing_server_is_named(attached) -> None:
    """An address where nothing answers is named."""
    with pytest.raises(ConnectionFailed, match=r"http://127\.0\.0\.1:1 does not answer"):
        attached(endpoint="http://127.0.0.1:1").stat("/")


def test_silent_server_is_given_up(attached) -> None:
    """A server that takes a connection and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectionFailed, match="does not answer"):
            attached(endpoint=endpoint, timeout=0.2).stat("/")


def test_server_of_other_protocol_is_an_error(attached, httpserver) -> None:
    """A server of another kind is an error in one sentence."""
    httpserver.expect_request("/").respond_with_data("hello")
    with pytest.raises((OpenPaiError, OSError)):
        list(attached(endpoint=httpserver.url_for("")).list("/"))


def test_name_that_is_too_long_is_refused(storage) -> None:
    """A key of more than 1024 bytes is refused as a name that is too long."""
    with pytest.raises(OSError, match="'main:/") as caught:
        write(storage, "/" + "x" * 1025)
    assert caught.value.errno == errno.ENAMETOOLONG


def test_name_that_is_no_unicode_is_refused(storage) -> None:
    """A name that UTF-8 cannot hold is refused as a name."""
    with pytest.raises(OSError, match="Unicode only"):
        write(storage, "/\udcff")


def test_aborted_upload_takes_no_parts(storage, moto, bucket) -> None:
    """When somebody ends an upload, its parts and its commit are refused; the old file stays."""
    write(storage, "/file", b"old")
    with storage.begin_upload("/file", 20 << 20) as upload:
        upload.write(0, io.BytesIO(bytes(upload.part_size)))
        upload.abort()
        with pytest.raises((OSError, OpenPaiError)):  # moto fails where S3 says what is gone
            upload.write(1, io.BytesIO(bytes(upload.part_size)))
    assert read(storage, "/file") == b"old"
    assert "Uploads" not in moto.client().list_multipart_uploads(Bucket=bucket)


def test_failed_long_file_leaves_no_upload(storage, moto, bucket) -> None:
    """A file that fails after its first parts leaves no upload that somebody pays for."""
    with suppress(BrokenOffError), storage.open_write("/file") as stream:
        stream.write(bytes(20 << 20))
        raise BrokenOffError
    assert list(storage.list("/")) == []
    assert "Uploads" not in moto.client().list_multipart_uploads(Bucket=bucket)


def test_long_stream_is_whole(storage) -> None:
    """A file that comes as a stream of many parts is whole, and its checksum can be computed."""
    from openpai.core.storage.checksums import hasher

    content = bytes(range(256)) * (80 << 10)
    with storage.open_write("/file") as stream:
        stream.write(content)
    found = storage.checksum("/file")
    assert found.algorithm == "md5-parts/8388608"
    computed = hasher(found.algorithm)
    for start in range(0, len(content), 3_000_000):
        computed.update(content[start : start + 3_000_000])
    assert computed.hexdigest() == found.value
    with storage.open_read("/file", 8_388_600, 20) as stream:
        assert stream.read() == content[8_388_600:8_388_620]


def test_checksum_of_replaced_file_is_new(storage) -> None:
    """A checksum that was known is forgotten when the file is replaced."""
    write(storage, "/file", b"old")
    assert storage.stat("/file").size == 3
    write(storage, "/file", b"new")
    found = storage.checksum("/file")
    assert found.value == hashlib.md5(b"new").hexdigest()


def test_read_only_storage_refuses_changes(moto, bucket) -> None:
    """A storage that is called read-only is not written."""
    spec = moto.spec(bucket)
    with (
        open_storage(StorageSpec("main", "s3", spec.data, read_only=True)) as storage,
        pytest.raises(PermissionError, match="Read-only storage"),
    ):
        storage.mkdir("/d")


@pytest.mark.parametrize("uri", ["", "bucket", "https://host/bucket", "s3://", "s3:///prefix"])
def test_bad_address_is_refused(uri: str) -> None:
    """A malformed address is refused before anything is sent."""
    with pytest.raises(StorageError, match="is not an S3 address"):
        open_storage(StorageSpec("main", "s3", {"uri": uri}))


def test_bad_settings_are_named() -> None:
    """A malformed endpoint and a missing profile are named."""
    with pytest.raises(StorageError, match="'localhost:9000'"):
        open_storage(StorageSpec("main", "s3", {"uri": "s3://b", "endpoint": "localhost:9000"}))
    with pytest.raises(StorageError, match="nobody"):
        open_storage(StorageSpec("main", "s3", {"uri": "s3://b", "profile": "nobody"}))
