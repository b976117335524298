"""The transfers to Azure Blob: checked, and with few requests."""

from __future__ import annotations

import http.client

import pytest

from openpai.core.checksums import Checksum
from openpai.core.transfer import download, upload


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """Return a list to which the method of each request of HTTP is added."""
    sent: list[str] = []
    send = http.client.HTTPConnection.putrequest

    def noted(self, method, *rest, **options):
        sent.append(method)
        return send(self, method, *rest, **options)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", noted)
    return sent


def test_requests_of_small_files(storage, tmp_path, sent) -> None:
    """A small file costs one request up, whose answer has its MD5, and two down."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(60):
        (tree / str(number)).write_bytes(b"x" * number)
    upload(storage, tree, "/tree")
    assert sent.count("PUT") == 60
    assert len(sent) < 60 + 30
    sent.clear()
    download(storage, "/tree", tmp_path / "back")
    assert sent.count("GET") < 60 + 5
    assert len(sent) < 2 * 60 + 30


def test_what_an_upload_told(storage) -> None:
    """Size, time and checksum are the same, told by the upload's own answer or asked for."""
    with storage.open_write("/file") as stream:
        stream.write(b"hello")
    told = storage.stat("/file"), storage.checksum("/file")
    assert told == (storage.stat("/file"), storage.checksum("/file"))
    assert told[1] == Checksum("md5", "5d41402abc4b2a76b9719d911017c592")
