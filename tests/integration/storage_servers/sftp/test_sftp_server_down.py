"""A real SSH server that goes and comes, or cannot write."""

from __future__ import annotations

import pytest
from support.servers.sshd import Sshd
from support.shared import new_folder

from openpai.core.errors import ConnectionFailed
from openpai.storage.testing.helpers import read, write


@pytest.fixture
def sshd(needs):
    """Return a server that no other test uses."""
    with Sshd(new_folder("sshd"), needs("sshd")) as server:
        yield server


def test_storage_survives_restart_of_server(attached, sshd) -> None:
    """A server that is gone is named; when it is back, the same storage works again."""
    storage = attached()
    write(storage, "/file", b"kept")
    sshd.stop()
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{sshd.port}"):
        read(storage, "/file")
    with pytest.raises(ConnectionFailed, match="does not answer"):
        attached().stat("/")
    sshd.start()
    assert read(storage, "/file") == b"kept"


def test_failed_write_of_server_leaves_old_file(attached, sshd, tmp_path) -> None:
    """A server that cannot write all of a file harms neither the old one nor the folder."""
    write(attached(), "/file", b"old")
    sshd.stop()
    sshd.start("ulimit -f 100")
    storage = attached()
    with pytest.raises(OSError, match="its disk may be full: 'main:/file'"):
        write(storage, "/file", bytes(1 << 20))
    assert read(storage, "/file") == b"old"
    assert [entry.name for entry in storage.list("/")] == ["file"]
