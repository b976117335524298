"""The transfers to a share: whole, with their times, and with few messages."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import pytest
from smbprotocol.connection import Connection

from openpai.core.storage.transfer.options import Options
from openpai.core.storage.transfer.transfer import download, upload

FILES = 40
TIME = 1_600_000_000_654_321_000


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """Return a list to which the kind of each message to a server is added."""
    sent: list[str] = []
    send = Connection._send

    def noted(self, messages, *rest, **options):
        sent.extend(type(message).__name__ for message in messages)
        return send(self, messages, *rest, **options)

    monkeypatch.setattr(Connection, "_send", noted)
    return sent


def test_tree_returns_whole_and_is_sent_once(storage, tmp_path) -> None:
    """A tree goes there and back whole; the second time nothing is sent, for the times tell."""
    tree, back = tmp_path / "tree", tmp_path / "back"
    (tree / "empty").mkdir(parents=True)
    for size in (0, 1, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 20 << 20):
        (tree / str(size)).write_bytes((bytes(range(251)) * (size // 251 + 1))[:size])
        os.utime(tree / str(size), ns=(TIME, TIME))
    upload(storage, tree, "/tree")
    assert {item.unchanged for item in upload(storage, tree, "/tree")} == {True}
    download(storage, "/tree", back)
    assert (back / "empty").is_dir()
    for file in tree.iterdir():
        if file.is_file():
            assert (back / file.name).read_bytes() == file.read_bytes()
            modified = storage.stat(f"/tree/{file.name}").modified
            assert modified == datetime(2020, 9, 13, 12, 26, 40, 654321, tzinfo=timezone.utc)


def test_small_file_costs_few_messages(storage, tmp_path, sent) -> None:
    """A small file costs seven messages up and three down; no question is asked twice."""
    few = Options(threads=4)  # each connection costs some, too
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(FILES):
        (tree / str(number)).write_bytes(b"x" * (number + 1))
    upload(storage, tree, "/tree", options=few)
    assert len(sent) < 7 * FILES + 60
    sent.clear()
    download(storage, "/tree", tmp_path / "back", options=few)
    assert len(sent) < 3 * FILES + 40


def test_stat_after_read_is_new(storage, smbd, folder) -> None:
    """What is known of a file since it was read is used once only."""
    served = smbd.root / folder / "file"
    served.write_bytes(b"old")
    with storage.open_read("/file") as stream:
        assert stream.read() == b"old"
    assert storage.stat("/file").size == 3
    served.write_bytes(b"newer")
    assert storage.stat("/file").size == 5
