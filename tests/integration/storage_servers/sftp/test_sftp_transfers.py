"""The transfers over SFTP: there and back, and nothing twice."""

from __future__ import annotations

import os

from asyncssh.sftp import SFTPClientHandler

from openpai.core.storage.transfer.options import Options
from openpai.core.storage.transfer.transfer import download, upload


def test_tree_returns_whole_and_is_sent_once(storage, tmp_path) -> None:
    """A tree goes there and back whole; the second time nothing is sent, though times are cut."""
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    content = bytes(range(256)) * (80 << 10)
    (tree / "large").write_bytes(content)
    (tree / "run.sh").write_text("true")
    (tree / "run.sh").chmod(0o750)
    upload(storage, tree, "/tree")
    assert {item.unchanged for item in upload(storage, tree, "/tree")} == {True}
    download(storage, "/tree", tmp_path / "back")
    back = tmp_path / "back"
    assert (back / "large").read_bytes() == content
    assert (back / "run.sh").stat().st_mode & 0o777 == 0o750
    assert (back / "empty").is_dir()


def test_unchanged_large_file_is_not_read(storage, tmp_path) -> None:
    """A large file of the same size and second is not read again to see that it is the same."""
    large = tmp_path / "large"
    large.write_bytes(bytes(20 << 20))
    os.utime(large, (1_600_000_000, 1_600_000_000.789))
    upload(storage, large, "/large")
    read = storage.open_read

    def refuse(path, *range_):
        raise AssertionError(f"{path} was read")

    storage.open_read = refuse
    assert [item.unchanged for item in upload(storage, large, "/large")] == [True]
    storage.open_read = read


def test_small_file_costs_few_requests(storage, tmp_path, monkeypatch) -> None:
    """A small file costs seven requests up and five down, and no question is asked twice."""
    sent = []
    send = SFTPClientHandler._send_request

    def noted(self, kind, *rest):
        sent.append(kind)
        return send(self, kind, *rest)

    monkeypatch.setattr(SFTPClientHandler, "_send_request", noted)
    few = Options(threads=4)  # each connection costs some, too
    tree, files = tmp_path / "tree", 40
    tree.mkdir()
    for number in range(files):
        (tree / str(number)).write_bytes(b"x" * (number + 1))
    upload(storage, tree, "/tree", options=few)
    assert len(sent) < 7 * files + 60
    sent.clear()
    download(storage, "/tree", tmp_path / "back", options=few)
    assert len(sent) < 5 * files + 20


def test_files_around_size_of_request_arrive_whole(storage, tmp_path) -> None:
    """Files that just fit into one request, and those that just do not, arrive whole."""
    tree, back = tmp_path / "tree", tmp_path / "back"
    tree.mkdir()
    for size in (0, 1, 261_120, 261_121, 1 << 20, (1 << 20) + 1):
        (tree / str(size)).write_bytes(os.urandom(size))
        os.utime(tree / str(size), (1_600_000_000, 1_600_000_000))
    upload(storage, tree, "/tree")
    download(storage, "/tree", back)
    for file in tree.iterdir():
        assert (back / file.name).read_bytes() == file.read_bytes()
        assert storage.stat(f"/tree/{file.name}").modified.timestamp() == 1_600_000_000
