"""What a real Samba server refuses: one sentence each, and nothing is half done."""

from __future__ import annotations

import socket
from datetime import datetime, timezone

import pytest
from support.proxy import Fault, FaultProxy

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.core.storage.local import LocalStorage
from openpai.storage.testing.helpers import read, write


def test_change_by_other_user_is_refused(attached, storage, smbd, folder) -> None:
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


def test_change_of_read_only_share_is_refused(attached, storage) -> None:
    """A share that its server lets nobody write refuses as a file does."""
    write(storage, "/file", b"old")
    museum = attached(share="museum")
    assert read(museum, "/file") == b"old"
    with pytest.raises(PermissionError, match="'main:/file'"):
        write(museum, "/file")


@pytest.mark.parametrize("wrong", [{"password": "very-wrong"}, {"username": "no-such-user"}])
def test_wrong_login_is_named(attached, wrong) -> None:
    """A wrong user or password is the reason, and the password is in no message."""
    storage = attached(**wrong)
    with pytest.raises(StorageError, match="does not accept the user or password") as caught:
        storage.stat("/")
    assert "very-" not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_missing_share_is_named(attached) -> None:
    """A share that does not exist is named."""
    with pytest.raises(StorageError, match="has no share 'nowhere'"):
        attached(share="nowhere").stat("/")


def test_missing_root_is_not_found(smbd) -> None:
    """A folder of the share that does not exist is not found."""
    with (
        open_storage(smbd.spec("none")) as storage,
        pytest.raises(FileNotFoundError, match="'main:/'"),
    ):
        list(storage.list("/"))


def test_silent_server_is_given_up(attached) -> None:
    """A server that takes a connection and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"//127.0.0.1:{silent.getsockname()[1]}/team"
        with pytest.raises(ConnectionFailed, match="does not answer: no answer in time"):
            attached(address=address, timeout=1).stat("/")


def test_blocked_write_is_given_up(attached, smbd) -> None:
    """Where the connection takes no more of a file, writing ends, and so does closing."""
    with FaultProxy(smbd.port, [Fault("block", 2 << 20, upwards=True)]) as proxy:
        storage = attached(address=f"//127.0.0.1:{proxy.port}/team", timeout=1)
        with pytest.raises(ConnectionFailed, match="does not answer"):
            write(storage, "/file", bytes(64 << 20))
        storage.close()


def test_server_of_other_protocol_is_named(attached, sshd) -> None:
    """A server that speaks another protocol is named."""
    with pytest.raises(OpenPaiError, match=f"127.0.0.1:{sshd.port}"):
        attached(address=f"//127.0.0.1:{sshd.port}/team", timeout=2).stat("/")


@pytest.mark.parametrize("name", ["x" * 256, "\udcff"])
def test_name_that_smb_cannot_hold_is_refused(storage, name: str) -> None:
    """A name that SMB cannot hold is refused as a name."""
    with pytest.raises(OSError, match="'main:/"):
        write(storage, f"/{name}")
    assert list(storage.list("/")) == []


@pytest.mark.parametrize("name", ["a:b", "end.", "end ", "a\\b", 'a"b<c>d|e?f*', "tab\there"])
def test_name_that_windows_forbids_returns(storage, smbd, folder, name: str) -> None:
    """A name that Windows forbids comes back as given; on the server it is what mounts write."""
    write(storage, f"/{name}", b"x")
    assert read(storage, f"/{name}") == b"x"
    assert [entry.name for entry in storage.list("/")] == [name]
    (kept,) = (found.name for found in (smbd.root / folder).iterdir())
    assert any("\uf000" <= letter <= "\uf029" for letter in kept)


def test_times_are_kept_to_microsecond(storage) -> None:
    """Times are kept to the microsecond."""
    then = datetime(2021, 2, 3, 4, 5, 6, 789012, tzinfo=timezone.utc)
    with storage.open_write("/file", modified=then) as stream:
        stream.write(b"x")
    assert storage.stat("/file").modified == then
    assert [entry.modified for entry in storage.list("/")] == [then]


def test_mounted_share_opens_as_folder(smbd, tmp_path) -> None:
    """Where the share is mounted on this machine the mount is used, not the network."""
    for type_ in ("samba", "azureFile"):
        spec = StorageSpec("main", type_, smbd.spec("x").data, mount_path=str(tmp_path))
        with open_storage(spec) as storage:
            assert isinstance(storage, LocalStorage)


@pytest.mark.parametrize("address", ["//host", "host", "//host:port/share", "//"])
def test_bad_address_is_refused(address: str) -> None:
    """A malformed address is refused before anything is sent."""
    with pytest.raises(StorageError, match="is not a share"):
        open_storage(StorageSpec("main", "samba", {"address": address}))


def test_missing_account_is_named() -> None:
    """A share of Azure Files without an account or a key is refused."""
    for data in ({}, {"accountName": "a"}, {"accountKey": "k"}):
        with pytest.raises(StorageError, match="names no Azure account"):
            open_storage(StorageSpec("main", "azureFile", {"shareName": "s", **data}))


def test_read_only_storage_refuses_changes(smbd, folder) -> None:
    """A storage that is called read-only is not written."""
    spec = StorageSpec("main", "samba", smbd.spec(folder).data, read_only=True)
    with (
        open_storage(spec) as storage,
        pytest.raises(PermissionError, match="Read-only storage"),
    ):
        storage.mkdir("/d")
