"""The transfers to Azure Blob: checked, and with few requests."""

from __future__ import annotations

from openpai.core.storage.checksums import Checksum
from openpai.core.storage.transfer.transfer import download, upload


def test_small_file_costs_few_requests(storage, tmp_path, requests) -> None:
    """A small file costs one request up, whose answer has its MD5, and two down."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(60):
        (tree / str(number)).write_bytes(b"x" * number)
    upload(storage, tree, "/tree")
    assert requests.count("PUT") == 60
    assert len(requests) < 60 + 30
    requests.clear()
    download(storage, "/tree", tmp_path / "back")
    assert requests.count("GET") < 60 + 5
    assert len(requests) < 2 * 60 + 30


def test_answer_of_upload_describes_file(storage) -> None:
    """Size, time and checksum are the same, from the upload's own answer or asked for."""
    with storage.open_write("/file") as stream:
        stream.write(b"hello")
    found = storage.stat("/file"), storage.checksum("/file")
    assert found == (storage.stat("/file"), storage.checksum("/file"))
    assert found[1] == Checksum("md5", "5d41402abc4b2a76b9719d911017c592")
