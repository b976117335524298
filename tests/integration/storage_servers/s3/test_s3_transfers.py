"""The transfers to S3: there and back, and nothing twice or too seldom."""

from __future__ import annotations

import http.client
import os
from hashlib import md5

from openpai.core.storage.checksums import Checksum
from openpai.core.storage.transfer.transfer import download, upload
from openpai.storage.testing.helpers import together, write


def test_tree_returns_whole_and_is_sent_once(storage, tmp_path) -> None:
    """A tree goes there and back whole, and the second time nothing is requests."""
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


def test_file_changed_in_second_of_arrival_is_sent(storage, tmp_path) -> None:
    """A file that changed in the second in which the old one arrived is requests."""
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


def test_small_file_costs_few_requests(storage, tmp_path, monkeypatch, requests) -> None:
    """A small file costs one request up, whose answer has its MD5, and two down."""
    headers = []
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
    assert requests.count("PUT") == 60
    assert "Expect" not in headers  # which would be one more wait for each
    assert len(requests) < 60 + 30
    requests.clear()
    download(storage, "/tree", tmp_path / "back")
    assert requests.count("GET") < 60 + 5
    assert len(requests) < 2 * 60 + 30


def test_answer_of_upload_describes_file(storage) -> None:
    """The checksum is that of now, from the upload's answer or asked for."""
    for content in (b"hello", b"world"):
        write(storage, "/file", content)
        found = storage.checksum("/file")
        assert found == storage.checksum("/file") == Checksum("md5", md5(content).hexdigest())
    write(storage, "/file", b"late")
    together([lambda: write(storage, "/file", b"later")])
    assert storage.checksum("/file").value == md5(b"later").hexdigest()
