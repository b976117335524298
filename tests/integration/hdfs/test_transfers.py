"""Trees go to a real HDFS and back, whatever happens on the way."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError
from openpai.core.storage import is_partial
from openpai.core.transfer import TransferError, download, upload
from openpai.storage.testing.helpers import read, write


def plant(folder: Path, seed: int) -> dict[str, bytes]:
    """Make a small tree; return its files."""
    dice = random.Random(seed)
    files = {}
    for number in range(6):
        path = folder / f"d{number % 3}" / f"file {number} ü"
        path.parent.mkdir(parents=True, exist_ok=True)
        files[path.relative_to(folder).as_posix()] = content = dice.randbytes(
            dice.choice([0, 1, 1000, 300_000])
        )
        path.write_bytes(content)
    return files


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a tree that are not partial ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not is_partial(path.name)
    }


def test_there_and_back(hdfs, folder, tmp_path) -> None:
    """Contents, empty folders, permission bits and times (to the millisecond) are kept."""
    source = tmp_path / "source"
    files = plant(source, 0)
    (source / "empty").mkdir()
    (source / "d0" / "file 0 ü").chmod(0o666)
    storage = hdfs.open(folder)
    upload(storage, source, "/t")
    assert all(item.unchanged for item in upload(storage, source, "/t", overwrite=True))
    download(storage, "/t", tmp_path / "back")
    assert files_of(tmp_path / "back") == files
    assert (tmp_path / "back" / "empty").is_dir()
    for name in files:
        there, here = (tmp_path / "back" / name).stat(), (source / name).stat()
        assert there.st_mode == here.st_mode
        assert there.st_mtime_ns // 10**6 == here.st_mtime_ns // 10**6


@pytest.mark.parametrize("seed", range(3))
def test_cut_lines(hdfs, folder, tmp_path, line, seed: int) -> None:
    """However often the line is cut: files are whole or absent, and trying again completes them."""
    source, back = tmp_path / "source", tmp_path / "back"
    files = plant(source, seed)
    dice = random.Random(seed)

    def tries(act) -> int:
        """Repeat over lines that break, the first one at once; return how many did."""
        for attempt in range(8):
            limit = dice.randrange(500_000) if attempt else 100
            datanodes = {name: line(at, limit) for name, at in hdfs.datanodes.items()}
            try:
                act(hdfs.open(folder, datanodes=datanodes if attempt < 7 else hdfs.datanodes))
            except TransferError:
                continue
            return attempt
        raise AssertionError("not even the whole line worked")

    assert tries(lambda storage: upload(storage, source, "/t")) > 0
    storage = hdfs.open(folder)
    for entry in storage.walk("/t"):
        if not (entry.is_dir or is_partial(entry.name)):
            assert read(storage, entry.path) == files[entry.path[len("/t/") :]]
    assert tries(lambda storage: download(storage, "/t", back)) > 0
    assert files_of(back) == files


def test_a_cut_read_is_an_error(hdfs, folder, line) -> None:
    """A reader never takes a cut line for the end of the file."""
    storage = hdfs.open(folder)
    write(storage, "/file", b"x" * 1_000_000)
    datanodes = {name: line(at, 500_000) for name, at in hdfs.datanodes.items()}
    with pytest.raises(ConnectionFailed, match="stopped sending"):
        read(hdfs.open(folder, datanodes=datanodes), "/file")


def test_the_data_nodes_die(hdfs, folder, eventually) -> None:
    """Data nodes that are killed while they take a file are an error, and harm nothing."""
    storage = hdfs.open(folder)
    write(storage, "/file", b"old")

    def write_and_kill() -> None:
        with storage.open_write("/file") as stream:
            stream.write(b"x" * 3_000_000)
            for name in ("dn0", "dn1"):
                hdfs.kill(name)
            for _ in range(30):
                stream.write(b"x" * 3_000_000)

    try:
        with pytest.raises(OpenPaiError):
            write_and_kill()
    finally:
        for name in ("dn0", "dn1"):
            hdfs.start(name)
        hdfs.wait()
    eventually(lambda: read(storage, "/file") == b"old")
    write(storage, "/file", b"new")
    assert read(storage, "/file") == b"new"


def test_the_name_node_restarts(hdfs, folder, eventually) -> None:
    """While the name node is away the error says so; afterwards everything is there.

    A data node's first call over its old connection to the name node fails, and with it a read.
    """
    storage = hdfs.open(folder)
    write(storage, "/file", b"kept")
    hdfs.kill("namenode")
    with pytest.raises(ConnectionFailed, match=r"localhost:\d+ does not answer"):
        storage.stat("/file")
    hdfs.start("namenode")
    hdfs.wait()
    eventually(lambda: read(storage, "/file") == b"kept")


def test_a_data_node_restarts_during_an_upload(hdfs, folder, tmp_path) -> None:
    """An upload goes on by itself when a data node is killed under it and comes back."""
    content = random.Random(7).randbytes(40 << 20)
    (tmp_path / "file").write_bytes(content)
    storage = hdfs.open(folder)
    counted = []

    def restart_once(count: int) -> None:
        counted.append(count)
        if len(counted) == 5:
            hdfs.kill("dn0")
            hdfs.start("dn0")

    try:
        upload(storage, tmp_path / "file", "/file", on_bytes=restart_once)
    finally:
        hdfs.wait()
    assert len(counted) > 5
    assert read(storage, "/file") == content
