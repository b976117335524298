"""The transfers to S3: there and back, and nothing twice or too seldom."""

from __future__ import annotations

import http.client
import os
from hashlib import md5

from openpai.core.checksums import Checksum
from openpai.core.transfer import download, upload
from openpai.storage.testing.helpers import together, write


def test_there_and_back(storage, tmp_path) -> None:
    """A tree goes there and back whole, and the second time nothing is sent."""
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    content = bytes(range(256)) * (80 << 10)
    (tree / "large").write_bytes(content)
    (tree / "small").write_bytes(b"x")
    upload(storage, tree, "/tree")
    assert {item.unchanged for item in upload(storage, tree, "/tree")} == {True}
    download(storage, "/tree", tmp_path / "back")
    assert (tmp_path / "back" / "large").read_bytes() == content
    assert (tmp_path / "back" / "empty").is_dir()


def test_the_time_of_arrival_tells_nothing(storage, tmp_path) -> None:
    """A file that changed in the second in which the old one arrived is sent."""
    file = tmp_path / "file"
    file.write_bytes(b"old")
    upload(storage, file, "/file")
    arrived = storage.stat("/file").modified.timestamp()
    file.write_bytes(b"new")
    os.utime(file, (arrived, arrived + 0.5))
    done = upload(storage, file, "/file", overwrite=True)
    assert [item.unchanged for item in done] == [False]
    with storage.open_read("/file") as stream:
        assert stream.read() == b"new"


def test_requests_of_small_files(storage, tmp_path, monkeypatch) -> None:
    """A small file costs one request up, whose answer has its MD5, and two down."""
    sent, headers = count_requests(monkeypatch), []
    put = http.client.HTTPConnection.putheader
    monkeypatch.setattr(
        http.client.HTTPConnection,
        "putheader",
        lambda self, name, *values: (headers.append(name), put(self, name, *values))[1],
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(60):
        (tree / str(number)).write_bytes(b"x" * number)
    upload(storage, tree, "/tree")
    assert sent.count("PUT") == 60
    assert "Expect" not in headers  # which would be one more wait for each
    assert len(sent) < 60 + 30
    sent.clear()
    download(storage, "/tree", tmp_path / "back")
    assert sent.count("GET") < 60 + 5
    assert len(sent) < 2 * 60 + 30


def test_what_an_upload_told(storage) -> None:
    """The checksum is the same, told by the upload's own answer or asked for, and of now."""
    for content in (b"hello", b"world"):
        write(storage, "/file", content)
        told = storage.checksum("/file")
        assert told == storage.checksum("/file") == Checksum("md5", md5(content).hexdigest())
    write(storage, "/file", b"late")
    together([lambda: write(storage, "/file", b"later")])
    assert storage.checksum("/file").value == md5(b"later").hexdigest()


def count_requests(monkeypatch) -> list[str]:
    """Return a list to which the method of each request of HTTP is added."""
    sent: list[str] = []
    send = http.client.HTTPConnection.putrequest

    def noted(self, method, *rest, **options):
        sent.append(method)
        return send(self, method, *rest, **options)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", noted)
    return sent
