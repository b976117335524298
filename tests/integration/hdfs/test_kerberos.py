"""An HDFS with Kerberos and TLS: tickets, delegation tokens, certificates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError, StorageLoginError
from openpai.core.storage import Storage
from openpai.storage.hdfs_storage import HdfsStorage
from openpai.storage.testing import StorageConformance
from openpai.storage.testing.helpers import read, write

from .hadoop import until
from .kerberos import Authority, Realm, SecureHdfs

pytest.importorskip("gssapi", reason="run: hatch run kerberos:check")


class Secure:
    """The servers, and tickets of ``alice`` and of the superuser."""

    def __init__(self, folder: Path, realm: Realm, authority: Authority) -> None:
        self.ca = str(authority.file)
        self.servers = SecureHdfs(folder, realm, authority)
        self.alice = realm.ticket("alice", realm.keytab("alice"))
        self.admin = realm.ticket("nn/localhost", self.servers.keytab)

    def open(self, path: str, **data: object) -> HdfsStorage:
        """Open a folder by a ticket, unless ``data`` says otherwise."""
        return self.servers.open(path, **{"user": "", "kerberos": True, "verify": self.ca, **data})


def takes_files(storage: Storage) -> bool:
    """Whether HDFS takes files: what its servers tell of themselves they tell to nobody here."""
    with suppress(OSError, OpenPaiError):
        write(storage, "/ready")
        return True
    return False


@pytest.fixture(scope="module")
def secure(hadoop, needs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """Return a running HDFS with Kerberos, in which alice may write below /users/alice."""
    realm = Realm(tmp_path_factory.mktemp("kdc"), needs)
    try:
        folder = tmp_path_factory.mktemp("secure")
        secure = Secure(folder, realm, Authority(tmp_path_factory.mktemp("ca"), needs))
        try:
            secure.servers.start("namenode", "dn0")
            with pytest.MonkeyPatch.context() as patch:
                for name, value in secure.admin.items():
                    patch.setenv(name, value)
                with secure.open("/") as admin:
                    until(lambda: takes_files(admin), "the start of HDFS")
                    admin.mkdir("/users/alice")
                    admin._ask("PUT", "/users/alice", "SETOWNER", owner="alice")
            yield secure
        finally:
            secure.servers.stop()
    finally:
        realm.stop()


@pytest.fixture
def ticket(secure: Secure, monkeypatch) -> None:
    """Hold a ticket of alice's."""
    for name, value in secure.alice.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def home(secure: Secure, ticket) -> Iterator[str]:
    """Return an empty folder of alice's."""
    path = f"/users/alice/{os.urandom(4).hex()}"
    with secure.open("/") as storage:
        storage.mkdir(path)
        yield path
        storage.delete(path, recursive=True)


class TestKerberos(StorageConformance):
    """A folder of an ordinary user with a ticket."""

    @pytest.fixture
    def storage(self, secure, home) -> Iterator[Storage]:
        """Return an empty folder."""
        with secure.open(home) as storage:
            yield storage


def test_no_ticket(secure, tmp_path, monkeypatch) -> None:
    """Without a ticket the error says how to get one."""
    monkeypatch.setenv("KRB5_CONFIG", secure.alice["KRB5_CONFIG"])
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="Kerberos gives no ticket for HTTP/localhost") as caught:
        secure.open("/").stat("/")
    assert "kinit" in caught.value.hint


def test_a_name_that_kerberos_does_not_know(secure, ticket) -> None:
    """A server without a principal is named."""
    with pytest.raises(StorageError, match=r"no ticket for HTTP/elsewhere\.invalid"):
        secure.open("/", kerberos="elsewhere.invalid").stat("/")
    assert secure.open("/", kerberos="localhost").stat("/").is_dir


def test_a_user_is_not_believed(secure) -> None:
    """Where HDFS asks for tickets, a user's name alone is refused with the way out."""
    with pytest.raises(StorageError, match="does not accept the user") as caught:
        secure.open("/", kerberos=False, user="alice").stat("/")
    assert "kerberos" in caught.value.hint


def test_a_delegation_token(secure, home, monkeypatch) -> None:
    """A delegation token stands for a ticket until it is cancelled; then the error says so."""
    token = secure.open("/")._ask("GET", "/", "GETDELEGATIONTOKEN", renewer="alice")
    token = token["Token"]["urlString"]
    monkeypatch.setenv("KRB5CCNAME", "/none")
    storage = secure.open(home, kerberos=False, token=token)
    write(storage, "/file", b"x" * 3_000_000)
    assert read(storage, "/file") == b"x" * 3_000_000
    monkeypatch.setenv("KRB5CCNAME", secure.alice["KRB5CCNAME"])
    secure.open("/")._ask("PUT", "/", "CANCELDELEGATIONTOKEN", token=token)
    with pytest.raises(StorageError, match="does not accept the delegation token") as caught:
        storage.stat("/file")
    assert token not in str(caught.value)


def test_a_token_that_expires(secure, home, eventually, monkeypatch) -> None:
    """When a delegation token's time is over the error says so, and asks for a new one."""
    token = secure.open("/")._ask("GET", "/", "GETDELEGATIONTOKEN", renewer="alice")
    monkeypatch.setenv("KRB5CCNAME", "/none")
    storage = secure.open(home, kerberos=False, token=token["Token"]["urlString"])
    assert storage.stat("/").is_dir

    def refused() -> bool:
        try:
            return not storage.stat("/")
        except StorageLoginError:
            return True

    eventually(refused)
    with pytest.raises(StorageLoginError, match=r"delegation token: it has expired.* a new one"):
        write(storage, "/file")
    monkeypatch.setenv("KRB5CCNAME", secure.alice["KRB5CCNAME"])


def test_a_cookie_that_is_no_longer_good(secure, home) -> None:
    """When the server no longer takes its cookie, the ticket is shown again."""
    storage = secure.open(home)
    write(storage, "/file")
    login = storage._client._login
    login._cookies = dict.fromkeys(login._cookies, '"u=alice&p=alice&t=kerberos&e=1&s=none"')
    assert read(storage, "/file") == b"content"


def test_a_certificate_of_an_unknown_authority(secure, ticket) -> None:
    """A server's certificate is checked; the error says which file it takes."""
    with pytest.raises(ConnectionFailed, match="cannot be trusted") as caught:
        secure.open("/", verify=True).stat("/")
    assert "verify" in caught.value.hint
    assert secure.open("/", verify=False).stat("/").is_dir


def test_no_such_authority(secure, ticket, tmp_path) -> None:
    """A file of certificates that is none is named."""
    (tmp_path / "empty").write_text("")
    for name in ("none", "empty"):
        with pytest.raises(StorageError, match=f"{name}' of the storage cannot be used"):
            secure.open("/", verify=str(tmp_path / name)).stat("/")


def test_a_certificate_of_another_server(secure, ticket) -> None:
    """A certificate for other names is refused, also that of a data node."""
    uri = secure.servers.uri.replace("localhost", "127.0.0.1")
    with pytest.raises(ConnectionFailed, match=r"cannot be trusted.*127\.0\.0\.1"):
        secure.open("/", uri=uri, kerberos="localhost").stat("/")


def test_a_gateway(secure, home) -> None:
    """An HttpFS gateway takes the same tickets."""
    storage = secure.open(home, uri=secure.servers.start_secure_gateway(), datanodes={})
    write(storage, "/d/file", b"x" * 3_000_000)
    assert read(storage, "/d/file") == b"x" * 3_000_000
    assert read(secure.open(home), "/d/file") == b"x" * 3_000_000
