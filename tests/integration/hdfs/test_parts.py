"""Files of several blocks: written in parts, read in ranges, compared by the checksums of HDFS."""

from __future__ import annotations

import io
import random

import pytest
from support.servers.hdfs import BLOCK

from openpai.core.storage.checksums import hasher
from openpai.core.storage.transfer.transfer import download, upload
from openpai.storage.testing.helpers import read, write


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 20_000, BLOCK, BLOCK + 1, 5 * BLOCK + 700])
def test_checksum_is_that_of_hdfs(hdfs, folder, size: int) -> None:
    """What is computed here is what a data node computes, for any number of blocks."""
    pytest.importorskip("google_crc32c", reason="pip install google-crc32c")
    content = random.Random(size).randbytes(size)
    storage = hdfs.open(folder)
    write(storage, "/file", content)
    found = storage.checksum("/file")
    if not size:
        assert found is None
        return
    digest = hasher(found.algorithm)
    for begin in range(0, size, 100_001):
        digest.update(content[begin : begin + 100_001])
    assert found.value == digest.hexdigest()


def test_interrupted_join_is_completed(hdfs, folder) -> None:
    """Parts that were joined already count as written, and the rest is joined to them."""
    content = random.Random(1).randbytes(4 * BLOCK + 100)
    storage = hdfs.open(folder)
    first = storage.begin_upload("/file", len(content))
    for index in range(first.parts):
        begin, length = first.part(index)
        first.write(index, io.BytesIO(content[begin : begin + length]))
    first._client.ask("POST", first._part(0), "CONCAT", sources=first._part(1))
    second = storage.begin_upload("/file", len(content), token=first.token)
    assert second.written() == set(range(5))
    second.commit()
    assert read(storage, "/file") == content
    assert [entry.name for entry in storage.list("/")] == ["file"]


def test_parts_with_long_names_are_joined_by_several_requests(hdfs, folder) -> None:
    """One request has room for some 16,000 characters of names."""
    content = random.Random(2).randbytes(7 * BLOCK)
    storage = hdfs.open("/".join([folder, *["d" * 250] * 15]))
    storage.mkdir("/")
    with storage.begin_upload("/file", len(content)) as parts:
        for index in range(parts.parts):
            begin, length = parts.part(index)
            parts.write(index, io.BytesIO(content[begin : begin + length]))
        parts.commit()
    assert read(storage, "/file") == content


def test_folder_with_comma_takes_no_parts(hdfs, folder) -> None:
    """Below a folder with a comma in its name a file is written in one go."""
    assert hdfs.open(folder).begin_upload("/a,b/file", 5 * BLOCK) is None


def test_large_file_goes_in_parts(hdfs, folder, tmp_path) -> None:
    """The engine sends a large file in parts and fetches it again."""
    (tmp_path / "file").write_bytes(random.Random(3).randbytes(5 * BLOCK + 5))
    storage = hdfs.open(folder)
    upload(storage, tmp_path / "file", "/file")
    download(storage, "/file", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    assert [entry.name for entry in storage.list("/")] == ["file"]
