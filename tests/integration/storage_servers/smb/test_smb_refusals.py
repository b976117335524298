"""What a real Samba server refuses is told in a sentence, and nothing is half done."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from threading import Thread

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.folder import FolderStorage
from openpai.core.storage import StorageSpec, open_storage
from openpai.storage.testing.helpers import read, write


def test_no_permission(attached, storage, smbd, folder) -> None:
    """Another user's folder cannot be changed, and every refusal names the file."""
    write(storage, "/file", b"old")
    (smbd.root / folder / "file").chmod(0o644)
    stranger = attached(username="nobody")
    assert read(stranger, "/file") == b"old"
    for act in (
        lambda: write(stranger, "/new"),
        lambda: stranger.mkdir("/d"),
        lambda: stranger.delete("/file"),
        lambda: stranger.rename("/file", "/moved"),
        lambda: stranger.begin_upload("/new", 20 << 20),
    ):
        with pytest.raises(PermissionError, match="'main:/"):
            act()
    assert [entry.name for entry in storage.list("/")] == ["file"]


def test_a_share_that_is_only_read(attached, storage) -> None:
    """A share that its server lets nobody write refuses as a file does."""
    write(storage, "/file", b"old")
    museum = attached(share="museum")
    assert read(museum, "/file") == b"old"
    with pytest.raises(PermissionError, match="'main:/file'"):
        write(museum, "/file")


@pytest.mark.parametrize("wrong", [{"password": "very-wrong"}, {"username": "no-such-user"}])
def test_a_wrong_login(attached, wrong) -> None:
    """A wrong user or password is the reason, and the password is in no message."""
    storage = attached(**wrong)
    with pytest.raises(StorageError, match="does not accept the user or password") as caught:
        storage.stat("/")
    assert "very-" not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_no_such_share(attached) -> None:
    """A share that does not exist is named."""
    with pytest.raises(StorageError, match="has no share 'nowhere'"):
        attached(share="nowhere").stat("/")


def test_a_missing_root(smbd) -> None:
    """A folder of the share that does not exist is not found."""
    with (
        open_storage(smbd.spec("none")) as storage,
        pytest.raises(FileNotFoundError, match="'main:/'"),
    ):
        list(storage.list("/"))


def test_a_server_that_goes_and_comes(attached, smbd) -> None:
    """A server that is gone is named; when it is back, the same storage works again."""
    storage = attached()
    write(storage, "/file", b"kept")
    smbd.stop()
    try:
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{smbd.port}"):
            read(storage, "/file")
        with pytest.raises(ConnectionFailed, match="does not answer: Connection refused"):
            attached().stat("/")
    finally:
        smbd.start()
    assert read(storage, "/file") == b"kept"


def test_a_server_that_dies_while_writing(attached, smbd) -> None:
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


def test_a_server_that_cannot_write_more(attached, smbd) -> None:
    """A server that cannot write all of a file harms neither the old one nor the folder."""
    write(attached(), "/file", b"old")
    smbd.stop()
    smbd.start("ulimit -f 1000")
    try:
        storage = attached()
        with pytest.raises(OSError, match="'main:/file'") as caught:
            write(storage, "/file", bytes(8 << 20))
        assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
        assert read(storage, "/file") == b"old"
        assert [entry.name for entry in storage.list("/")] == ["file"]
    finally:
        smbd.stop()
        smbd.start()


def test_a_server_that_is_silent(attached) -> None:
    """A server that takes a connection and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"//127.0.0.1:{silent.getsockname()[1]}/team"
        with pytest.raises(ConnectionFailed, match="does not answer: no answer in time"):
            attached(address=address, timeout=1).stat("/")


def test_a_server_that_takes_no_more(attached, smbd) -> None:
    """Where the line takes no more of a file, writing ends, and so does closing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as lines:

        def carry(source: socket.socket, target: socket.socket, most: float) -> None:
            with suppress(OSError):
                while most > 0 and (data := source.recv(1 << 16)):
                    target.sendall(data)
                    most -= len(data)

        def accept() -> None:
            near = lines.enter_context(listener.accept()[0])
            far = lines.enter_context(socket.create_connection(("127.0.0.1", smbd.port)))
            for ends in ((near, far, 2 << 20), (far, near, float("inf"))):
                Thread(target=carry, args=ends, daemon=True).start()

        accepting = Thread(target=accept)
        accepting.start()
        address = f"//127.0.0.1:{listener.getsockname()[1]}/team"
        storage = attached(address=address, timeout=1)
        with pytest.raises(ConnectionFailed, match="does not answer"):
            write(storage, "/file", bytes(64 << 20))
        accepting.join()
        listener.close()
        storage.close()


def test_something_else_answers(attached, httpserver) -> None:
    """A server that speaks another protocol is named."""
    with pytest.raises(OpenPaiError, match=f"127.0.0.1:{httpserver.port}"):
        attached(address=f"//127.0.0.1:{httpserver.port}/team", timeout=2).stat("/")


@pytest.mark.parametrize("name", ["x" * 256, "\udcff"])
def test_names_that_smb_cannot_hold(storage, name: str) -> None:
    """A name that SMB cannot hold is refused as a name."""
    with pytest.raises(OSError, match="'main:/"):
        write(storage, f"/{name}")
    assert list(storage.list("/")) == []


@pytest.mark.parametrize("name", ["a:b", "end.", "end ", "a\\b", 'a"b<c>d|e?f*', "tab\there"])
def test_names_that_windows_forbids(storage, smbd, folder, name: str) -> None:
    """A name that Windows forbids comes back as given; on the server it is what mounts write."""
    write(storage, f"/{name}", b"x")
    assert read(storage, f"/{name}") == b"x"
    assert [entry.name for entry in storage.list("/")] == [name]
    (kept,) = (found.name for found in (smbd.root / folder).iterdir())
    assert any("\uf000" <= letter <= "\uf029" for letter in kept)


def test_times(storage) -> None:
    """Times are kept to the microsecond."""
    then = datetime(2021, 2, 3, 4, 5, 6, 789012, tzinfo=timezone.utc)
    with storage.open_write("/file", modified=then) as stream:
        stream.write(b"x")
    assert storage.stat("/file").modified == then
    assert [entry.modified for entry in storage.list("/")] == [then]


def test_mounted_is_mounted(smbd, tmp_path) -> None:
    """Where the share is mounted on this machine the mount is used, not the network."""
    for type_ in ("samba", "azureFile"):
        spec = StorageSpec("main", type_, smbd.spec("x").data, mount_path=str(tmp_path))
        with open_storage(spec) as storage:
            assert isinstance(storage, FolderStorage)


@pytest.mark.parametrize("address", ["//host", "host", "//host:port/share", "//"])
def test_bad_addresses(address: str) -> None:
    """An address that is none is refused before anything is sent."""
    with pytest.raises(StorageError, match="is no share"):
        open_storage(StorageSpec("main", "samba", {"address": address}))


def test_no_account() -> None:
    """A share of Azure Files without an account or a key is refused."""
    for data in ({}, {"accountName": "a"}, {"accountKey": "k"}):
        with pytest.raises(StorageError, match="names no Azure account"):
            open_storage(StorageSpec("main", "azureFile", {"shareName": "s", **data}))


def test_read_only(smbd, folder) -> None:
    """A storage that is called read-only is not written."""
    spec = StorageSpec("main", "samba", smbd.spec(folder).data, read_only=True)
    with (
        open_storage(spec) as storage,
        pytest.raises(PermissionError, match="Read-only storage"),
    ):
        storage.mkdir("/d")
