"""An HDFS with Kerberos and TLS: tickets, delegation tokens, certificates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.servers.kerberos import Authority, Realm, SecureHdfs
from support.servers.server import STARTING
from support.wait import wait_until

from openpai.core.errors import ConnectionFailed, OpenPaiError, StorageError, StorageLoginError
from openpai.core.storage.base import Storage
from openpai.storage.hdfs.storage import HdfsStorage
from openpai.storage.testing import StorageConformance
from openpai.storage.testing.helpers import read, write

pytest.importorskip("gssapi", reason="run: hatch run kerberos:check")


class Secure:
    """The servers, and tickets of ``alice`` and of the superuser."""

    def __init__(self, folder: Path, realm: Realm, authority: Authority) -> None:
        self.ca = str(authority.file)
        self.servers = SecureHdfs(folder)
        self.servers.prepare(realm, authority)
        self.alice = realm.ticket("alice", realm.keytab("alice"))
        self.admin = realm.ticket("nn/localhost", self.servers.keytab)

    def open(self, path: str, **data: object) -> HdfsStorage:
        """Open a folder by a ticket, unless ``data`` says otherwise."""
        return self.servers.open(path, **{"user": "", "kerberos": True, "verify": self.ca, **data})


def takes_files(storage: Storage) -> bool:
    """Whether HDFS takes files: its servers describe themselves to nobody."""
    with suppress(OSError, OpenPaiError):
        write(storage, "/ready")
        return True
    return False


@pytest.fixture(scope="module")
def secure(hadoop, needs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """Return a running HDFS with Kerberos, in which alice may write below /users/alice."""
    with Realm(tmp_path_factory.mktemp("kdc"), needs) as realm:
        folder = tmp_path_factory.mktemp("secure")
        secure = Secure(folder, realm, Authority(tmp_path_factory.mktemp("ca"), needs))
        with secure.servers as servers, pytest.MonkeyPatch.context() as patch:
            for name, value in secure.admin.items():
                patch.setenv(name, value)
            with secure.open("/") as admin:
                wait_until(
                    lambda: takes_files(admin),
                    "the start of HDFS",
                    timeout=STARTING,
                    show=servers.logs,
                )
                admin.mkdir("/users/alice")
                admin._ask("PUT", "/users/alice", "SETOWNER", owner="alice")
            patch.undo()
            yield secure


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


def test_missing_ticket_is_named(secure, tmp_path, monkeypatch) -> None:
    """Without a ticket the error says how to get one."""
    monkeypatch.setenv("KRB5_CONFIG", secure.alice["KRB5_CONFIG"])
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="Kerberos gives no ticket for HTTP/localhost") as caught:
        secure.open("/").stat("/")
    assert "kinit" in caught.value.hint


def test_server_without_principal_is_named(secure, ticket) -> None:
    """A server without a principal is named."""
    with pytest.raises(StorageError, match=r"no ticket for HTTP/elsewhere\.invalid"):
        secure.open("/", kerberos="elsewhere.invalid").stat("/")
    assert secure.open("/", kerberos="localhost").stat("/").is_dir


def test_user_without_ticket_is_refused(secure) -> None:
    """Where HDFS asks for tickets, a user's name alone is refused with the way out."""
    with pytest.raises(StorageError, match="does not accept the user") as caught:
        secure.open("/", kerberos=False, user="alice").stat("/")
    assert "kerberos" in caught.value.hint


def test_delegation_token_works_until_cancelled(secure, home, monkeypatch) -> None:
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


def test_expired_token_is_named(secure, home, monkeypatch) -> None:
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

    wait_until(refused, "the end of the token", show=secure.servers.logs)
    with pytest.raises(StorageLoginError, match=r"delegation token: it has expired.* a new one"):
        write(storage, "/file")
    monkeypatch.setenv("KRB5CCNAME", secure.alice["KRB5CCNAME"])


def test_rejected_cookie_is_replaced(secure, home) -> None:
    """When the server no longer takes its cookie, the ticket is shown again."""
    storage = secure.open(home)
    write(storage, "/file")
    login = storage._client._login
    login._cookies = dict.fromkeys(login._cookies, '"u=alice&p=alice&t=kerberos&e=1&s=none"')
    assert read(storage, "/file") == b"content"


def test_certificate_of_unknown_authority_is_refused(secure, ticket) -> None:
    """A server's certificate is checked; the error says which file it takes."""
    with pytest.raises(ConnectionFailed, match="cannot be trusted") as caught:
        secure.open("/", verify=True).stat("/")
    assert "verify" in caught.value.hint
    assert secure.open("/", verify=False).stat("/").is_dir


def test_missing_authority_is_named(secure, ticket, tmp_path) -> None:
    """A missing or empty file of certificates is named."""
    (tmp_path / "empty").write_text("")
    for name in ("none", "empty"):
        with pytest.raises(StorageError, match=f"{name}' of the storage cannot be used"):
            secure.open("/", verify=str(tmp_path / name)).stat("/")


def test_certificate_of_other_server_is_refused(secure, ticket) -> None:
    """A certificate for other names is refused, also that of a data node."""
    uri = secure.servers.uri.replace("localhost", "127.0.0.1")
    with pytest.raises(ConnectionFailed, match=r"cannot be trusted.*127\.0\.0\.1"):
        secure.open("/", uri=uri, kerberos="localhost").stat("/")


def test_gateway_takes_tickets(secure, home, tmp_path) -> None:
    """An HttpFS gateway takes the same tickets."""
    with secure.servers.gateway(tmp_path) as gateway:
        storage = secure.open(home, uri=gateway.uri, datanodes={})
        write(storage, "/d/file", b"x" * 3_000_000)
        assert read(storage, "/d/file") == b"x" * 3_000_000
    assert read(secure.open(home), "/d/file") == b"x" * 3_000_000
