"""Trees go to a real HDFS and back, over connections that are cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain, repeat

import pytest
from support.proxy import Fault, FaultProxy
from support.trees import make_tree, read_tree, spread

from openpai.core.errors import ConnectionFailed
from openpai.core.storage.temp_files import is_partial
from openpai.core.storage.transfer.transfer import Options, TransferError, download, upload
from openpai.storage.testing.helpers import read, write


@pytest.fixture
def cut_after(hdfs) -> Iterator[Callable[[int], dict[str, str]]]:
    """Return a function from a number of bytes to data nodes that stop working after them."""
    with ExitStack() as proxies:

        def build(limit: int) -> dict[str, str]:
            ways = {}
            for name, address in hdfs.datanodes.items():
                faults = chain([Fault("cut", limit)], repeat(Fault("cut", 0)))
                proxy = FaultProxy(int(address.partition(":")[2]), faults)
                proxies.enter_context(proxy)
                ways[name] = f"127.0.0.1:{proxy.port}"
            return ways

        yield build


def test_tree_returns_with_modes_and_times(hdfs, folder, tmp_path) -> None:
    """Contents, empty folders, permission bits and times (to the millisecond) are kept."""
    source = tmp_path / "source"
    files = make_tree(source, {**spread([0, 1, 1000, 300_000]), "empty": None})
    (source / "d0" / "file 0 ü").chmod(0o666)
    storage = hdfs.open(folder)
    upload(storage, source, "/t")
    assert all(item.unchanged for item in upload(storage, source, "/t", overwrite=True))
    download(storage, "/t", tmp_path / "back")
    assert read_tree(tmp_path / "back") == files
    assert (tmp_path / "back" / "empty").is_dir()
    for name in files:
        there, here = (tmp_path / "back" / name).stat(), (source / name).stat()
        assert there.st_mode == here.st_mode
        assert there.st_mtime_ns // 10**6 == here.st_mtime_ns // 10**6


@pytest.mark.parametrize("seed", range(3))
def test_tree_arrives_over_cut_connections(hdfs, folder, tmp_path, cut_after, seed: int) -> None:
    """Whenever they are cut, files are whole or absent, and trying again completes them."""
    source, back = tmp_path / "source", tmp_path / "back"
    dice = random.Random(seed)
    sizes = [dice.choice([0, 1, 1000, 300_000]) for _ in range(5)]
    files = make_tree(source, spread([*sizes, 300_000]), seed)
    once = Options(retries=1)

    def tries(act) -> int:
        """Repeat over connections that break; return how often that was."""
        for attempt in range(8):
            limit = dice.randrange(500_000) if attempt else 100
            datanodes = cut_after(limit) if attempt < 7 else hdfs.datanodes
            try:
                act(hdfs.open(folder, datanodes=datanodes))
            except TransferError:
                continue
            return attempt
        raise AssertionError("not even the whole connection worked")

    assert tries(lambda storage: upload(storage, source, "/t", options=once)) > 0
    storage = hdfs.open(folder)
    for entry in storage.walk("/t"):
        if not (entry.is_dir or is_partial(entry.name)):
            assert read(storage, entry.path) == files[entry.path[len("/t/") :]]
    assert tries(lambda storage: download(storage, "/t", back, options=once)) > 0
    assert read_tree(back) == files


def test_cut_read_is_an_error(hdfs, folder, cut_after) -> None:
    """A reader never takes a cut connection for the end of the file."""
    storage = hdfs.open(folder)
    write(storage, "/file", b"x" * 1_000_000)
    with pytest.raises(ConnectionFailed, match="stopped sending"):
        read(hdfs.open(folder, datanodes=cut_after(500_000)), "/file")
