"""What a real SSH server refuses: one sentence each, and nothing is half done."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from support.wait import wait_until

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError
from openpai.core.storage.base import StorageSpec, open_storage
from openpai.storage.testing.helpers import read, write


def test_unknown_host_key_is_refused(attached, sshd) -> None:
    """A host that is not known is refused, with its key and how to accept it."""
    storage = attached(known_hosts=sshd.file("empty"))
    with pytest.raises(StorageError, match="not among the known hosts: SHA256:") as caught:
        storage.stat("/")
    assert f"ssh -o UserKnownHostsFile={sshd.file('empty')} -p {sshd.port}" in caught.value.hint


def test_changed_host_key_is_refused(attached, sshd, tmp_path) -> None:
    """A host whose key is another one than before is refused."""
    known = tmp_path / "known"
    key = Path(sshd.file("stranger.pub")).read_text()
    known.write_text(f"[127.0.0.1]:{sshd.port} {key}")
    with pytest.raises(StorageError, match="not among the known hosts"):
        attached(known_hosts=str(known)).stat("/")


def test_host_is_refused_without_known_hosts(attached) -> None:
    """Where there is no file of known hosts, no host is known."""
    with pytest.raises(StorageError, match="not among the known hosts"):
        attached(known_hosts=None).stat("/")


def test_unknown_key_is_named(attached, sshd) -> None:
    """A key that the server does not know is named as the reason."""
    with pytest.raises(StorageError, match="does not accept the user, key or password"):
        attached(key_file=sshd.file("stranger")).stat("/")


def test_wrong_password_stays_secret(attached) -> None:
    """A wrong password is the reason, and in no message."""
    storage = attached(key_file=None, password="very-secret")
    with pytest.raises(StorageError, match="does not accept the user") as caught:
        storage.stat("/")
    assert "very-secret" not in f"{caught.value!s} {caught.value!r} {storage!r}"


def test_key_of_agent_is_used(attached, sshd, monkeypatch) -> None:
    """Without a key file the keys of the SSH agent are tried."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # a socket's path must be short
        monkeypatch.setenv("SSH_AUTH_SOCK", f"{place}/agent")
        agent = subprocess.Popen(
            ["ssh-agent", "-D", "-a", f"{place}/agent"], stdout=subprocess.DEVNULL
        )
        try:
            wait_until(Path(place, "agent").exists, "the socket of the agent")
            subprocess.run(["ssh-add", "-q", sshd.file("user")], check=True)
            assert attached(key_file=None).stat("/").is_dir
        finally:
            agent.kill()
            agent.wait()


def test_locked_key_opens_with_passphrase(attached, sshd, tmp_path) -> None:
    """A locked key opens with its passphrase, and a wrong one is named."""
    key = tmp_path / "locked"
    shutil.copy(sshd.file("user"), key)
    key.chmod(0o600)
    change = ["ssh-keygen", "-q", "-p", "-N", "right", "-f", str(key)]
    subprocess.run(change, check=True, capture_output=True)
    assert attached(key_file=str(key), passphrase="right").stat("/").is_dir
    with pytest.raises(StorageError, match="wrong passphrase") as caught:
        attached(key_file=str(key), passphrase="very-wrong").stat("/")
    assert "very-wrong" not in str(caught.value)


def test_silent_server_is_given_up(attached) -> None:
    """A server that takes a connection and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"sftp://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(ConnectionFailed):
            attached(uri=uri, timeout=0.5).stat("/")


def test_server_of_other_protocol_is_named(attached, httpserver) -> None:
    """A server that speaks another protocol is named."""
    with pytest.raises(OpenPaiError, match=f"127.0.0.1:{httpserver.port}"):
        attached(uri=f"sftp://127.0.0.1:{httpserver.port}/").stat("/")


@pytest.mark.parametrize("name", ["x" * 256, "y" * 5000])
def test_name_that_is_too_long_is_refused(storage, name: str) -> None:
    """A name that the server does not take is refused as a name."""
    with pytest.raises(OSError, match="'main:/"):
        write(storage, f"/{name}")
    assert list(storage.list("/")) == []


def test_missing_root_is_not_found(sshd, tmp_path) -> None:
    """A folder that does not exist is not found."""
    with (
        open_storage(sshd.spec(tmp_path / "none")) as storage,
        pytest.raises(FileNotFoundError, match="'main:/'"),
    ):
        list(storage.list("/"))


def test_read_only_storage_refuses_changes(sshd, tmp_path) -> None:
    """A storage that is called read-only is not written."""
    spec = sshd.spec(tmp_path)
    with (
        open_storage(StorageSpec("main", "sftp", spec.data, read_only=True)) as storage,
        pytest.raises(PermissionError, match="Read-only storage"),
    ):
        storage.mkdir("/d")


def test_links_are_followed_but_not_deleted_through(storage, tmp_path) -> None:
    """A link is followed, a walk through links ends, and deleting one leaves what it leads to."""
    root = tmp_path / "served"
    write(storage, "/d/file", b"x")
    (root / "link").symlink_to("d")
    (root / "d" / "up").symlink_to("..")
    (root / "d" / "nowhere").symlink_to("none")
    assert read(storage, "/link/file") == b"x"
    below = ["file", "nowhere", "up"]
    expected = ["/d", *(f"/d/{name}" for name in below), "/link"]
    expected += [f"/link/{name}" for name in below]
    assert [entry.path for entry in storage.walk("/")] == expected
    storage.delete("/link")
    storage.delete("/d", recursive=True)
    assert list(storage.list("/")) == []
    assert root.is_dir()


@pytest.mark.parametrize("uri", ["", "host:22", "ssh://host", "sftp://", "sftp://host:port/"])
def test_bad_address_is_refused(uri: str) -> None:
    """A malformed address is refused before anything is sent."""
    with pytest.raises(StorageError, match="is no SFTP address"):
        open_storage(StorageSpec("main", "sftp", {"uri": uri}))


def test_missing_key_file_is_named(attached) -> None:
    """A key file that does not exist is named."""
    with pytest.raises(StorageError, match="is not a file: /nowhere/key"):
        attached(key_file="/nowhere/key")
