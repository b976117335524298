"""Of two name nodes the active one is found, and found again after a failover."""

from __future__ import annotations

import getpass
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from support.servers.hdfs_pair import Pair
from support.wait import wait_until

from openpai.core.errors import ConnectionFailed, OpenPaiError
from openpai.storage.testing.helpers import read, write

pytestmark = pytest.mark.xdist_group("hdfs-pair")


@pytest.fixture
def pair(hadoop, tmp_path) -> Iterator[Pair]:
    """Return two running name nodes, the first being active, and a data node."""
    with Pair(tmp_path) as servers:
        yield servers


def test_storage_follows_failover(pair: Pair) -> None:
    """The same storage works whichever is active, and waits while none is."""
    user = getpass.getuser()
    storage = pair.open("/", user=user, uri=list(reversed(pair.uris)))

    def takes_files() -> bool:
        with suppress(OSError, OpenPaiError):
            write(storage, "/file", b"before")
            return True
        return False

    wait_until(takes_files, "the start of HDFS", timeout=120, show=pair.logs)
    with pytest.raises(ConnectionFailed, match="on standby") as caught:
        pair.open("/", user=user, uri=pair.uris[1]).stat("/")
    assert "all name nodes" in caught.value.hint

    pair.kill("nn0")
    promoted = threading.Thread(target=pair.activate, args=("nn1",))
    promoted.start()
    found = read(storage, "/file")  # asks until one is active
    promoted.join()
    assert found == b"before"
    wait_until(takes_files, "that the other name node takes files", timeout=120, show=pair.logs)

    pair.start_node("nn0")
    by_commas = pair.open("/", user=user, uri=", ".join(pair.uris))
    wait_until(lambda: by_commas.stat("/file").size == 6, "the stat of a file")
