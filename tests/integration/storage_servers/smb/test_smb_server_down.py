"""A real Samba server that goes and comes, dies, or cannot write."""

from __future__ import annotations

import errno

import pytest
from support.servers.smbd import Smbd
from support.shared import new_folder

from openpai.core.errors import ConnectionFailed
from openpai.storage.testing.helpers import read, write


@pytest.fixture
def smbd(needs):
    """Return a server that no other test uses."""
    with Smbd(new_folder("smbd"), needs("smbd")) as server:
        yield server


def test_storage_survives_restart_of_server(attached, smbd) -> None:
    """A server that is gone is named; when it is back, the same storage works again."""
    storage = attached()
    write(storage, "/file", b"kept")
    smbd.stop()
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{smbd.port}"):
        read(storage, "/file")
    with pytest.raises(ConnectionFailed, match="does not answer: Connection refused"):
        attached().stat("/")
    smbd.start()
    assert read(storage, "/file") == b"kept"


def test_server_killed_while_writing_leaves_old_file(attached, smbd) -> None:
    """A file whose server dies before it is whole does not appear; the old one stays."""
    storage = attached()
    write(storage, "/file", b"old")
    with pytest.raises((ConnectionFailed, OSError)):
        _die_while_writing(storage, smbd)
    smbd.start()
    assert read(storage, "/file") == b"old"


def _die_while_writing(storage, smbd) -> None:
    with storage.open_write("/file") as stream:
        stream.write(bytes(4 << 20))
        smbd.stop()
        stream.write(bytes(20 << 20))


def test_failed_write_of_server_leaves_old_file(attached, smbd) -> None:
    """A server that cannot write all of a file harms neither the old one nor the folder."""
    write(attached(), "/file", b"old")
    smbd.stop()
    smbd.start("ulimit -f 1000")
    storage = attached()
    with pytest.raises(OSError, match="'main:/file'") as caught:
        write(storage, "/file", bytes(8 << 20))
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert read(storage, "/file") == b"old"
    assert [entry.name for entry in storage.list("/")] == ["file"]
