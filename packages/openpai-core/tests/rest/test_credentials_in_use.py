"""Tokens end, are refused for a moment, and are in nobody's log."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from email.utils import formatdate

import pytest
from werkzeug import Response

from openpai.core import Cluster
from openpai.core.errors import AuthenticationError
from openpai.core.local import LocalCluster
from openpai.core.rest import authn, tasks

V2 = "/rest-server/api/v2"


def make_token(issued, expires, name="alice"):
    """A token as the server makes them."""
    claims = {"username": name, "application": False, "iat": int(issued), "exp": int(expires)}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.signature-{int(issued)}"


class Server:
    """Gives out tokens and takes the good ones."""

    def __init__(self, httpserver) -> None:
        self.logins = 0
        self.good: set = set()
        self.refusals = 0
        httpserver.expect_request(f"{V2}/authn/basic/login").respond_with_handler(self.login)
        httpserver.expect_request(f"{V2}/tokens/check").respond_with_handler(self.check)

    def login(self, request) -> Response:
        """Answer a login."""
        if request.get_json()["password"] != "right-password":
            return self.answer(400, {"code": "IncorrectPasswordError", "message": "wrong"})
        self.logins += 1
        now = time.time()
        token = make_token(now - self.logins, now + 3600)
        self.good = {token}
        return self.answer(200, {"user": "alice", "token": token, "admin": False})

    def check(self, request) -> Response:
        """Answer whether the token is good."""
        token = request.headers.get("Authorization", "").partition(" ")[2]
        if token not in self.good or self.refusals > 0:
            self.refusals -= 1
            return self.answer(401, {"code": "UnauthorizedUserError", "message": "invalid"})
        return self.answer(200, {"username": "alice"})

    @staticmethod
    def answer(status, body) -> Response:
        """An answer of this server."""
        return Response(json.dumps(body), status, content_type="application/json")


@pytest.fixture
def server(httpserver):
    """Such a server."""
    return Server(httpserver)


@pytest.fixture
def open_cluster(httpserver):
    """Return a function that opens a cluster there."""
    opened = []

    def start(**options):
        opened.append(Cluster(httpserver.url_for("/"), user="alice", timeout=60, **options))
        return opened[-1]

    yield start
    for cluster in opened:
        cluster.close()


def test_password_logs_in_once_when_needed(server, open_cluster):
    """And once."""
    cluster = open_cluster(password="right-password")
    assert server.logins == 0
    for _ in range(3):
        assert authn.check_token(cluster.session).username == "alice"
    assert server.logins == 1


def test_refused_token_is_replaced(server, open_cluster, clock):
    """It was revoked, or the server was reinstalled."""
    cluster = open_cluster(password="right-password")
    authn.check_token(cluster.session)
    clock.sleep(10)  # a new token may be refused for some seconds
    server.good.clear()
    assert authn.check_token(cluster.session).username == "alice"
    assert server.logins == 2


def test_expiring_token_is_replaced_early(server, open_cluster):
    """No call is refused for it."""
    now = time.time()
    token = make_token(now - 7 * 86400, now + 590)  # ten minutes before the end of a week
    server.good.add(token)
    cluster = open_cluster(token=token, password="right-password")
    for _ in range(3):
        authn.check_token(cluster.session)
    assert server.logins == 1
    assert cluster.session.token != token
    assert server.refusals == 0


def test_token_expiry_uses_server_clock(local, proxy, clock):
    """This machine's may go wrong by days."""
    with Cluster(proxy.uri, user=local.user, password=local.password) as cluster:
        authn.check_token(cluster.session)
        clock.sleep(10)  # a new token counts as good for some seconds
        for days, logins in ((6.9, 1), (6.999, 2)):
            proxy.date = formatdate(time.time() + days * 86400, usegmt=True)
            for _ in range(2):  # from the first answer the server's time is known
                authn.check_token(cluster.session)
            assert proxy.count("POST", "/login$") == logins


def test_token_without_password_is_not_replaced(server, open_cluster):
    """The error says how to get another."""
    cluster = open_cluster(token=make_token(time.time() - 100, time.time() - 10))
    with pytest.raises(AuthenticationError) as caught:
        authn.check_token(cluster.session)
    assert "opai cluster login" in caught.value.hint
    assert server.logins == 0


def test_wrong_password_is_tried_once(server, open_cluster):
    """Trying it again would lock the user out."""
    cluster = open_cluster(password="wrong-password")
    with pytest.raises(AuthenticationError, match="wrong"):
        authn.check_token(cluster.session)


def test_fresh_token_refused_at_first_is_retried(server, open_cluster, clock):
    """The server does not wait until it is stored; no second login is needed."""
    cluster = open_cluster(password="right-password")
    server.refusals = 2
    assert authn.check_token(cluster.session).username == "alice"
    assert server.logins == 1


def test_threads_share_one_login(server, open_cluster):
    """Logins at the same time drop each other's tokens on the server."""
    cluster = open_cluster(password="right-password")
    found = []

    def ask():
        for _ in range(10):
            found.append(authn.check_token(cluster.session).username)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["alice"] * 120
    assert server.logins == 1


def test_closed_session_can_be_reused(server, open_cluster):
    """It opens new connections."""
    cluster = open_cluster(password="right-password")
    authn.check_token(cluster.session)
    cluster.close()
    assert authn.check_token(cluster.session).username == "alice"


@pytest.mark.process
def test_cluster_survives_token_expiry(make_job, gate):
    """A week passes on the server while a job is waited for."""
    with LocalCluster(cpus=4, memory_mb=4000) as local, Cluster(
        local.uri, user=local.user, password=local.password
    ) as cluster:
        remote = cluster.submit(make_job(gate.command))
        local.advance("8d")
        assert not remote.status().ended
        gate.open()
        assert remote.wait(timeout=60).state == "SUCCEEDED"


def test_new_token_is_saved_in_its_place(server, httpserver, tmp_path, monkeypatch):
    """The next program need not log in again."""
    from openpai.core.config.clusters import ClusterEntry, find_cluster, save_cluster

    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path))
    uri = httpserver.url_for("").rstrip("/")
    old = make_token(time.time() - 200, time.time() - 100)
    save_cluster(ClusterEntry("c", uri, "alice", token=old, password="right-password"))
    with Cluster.load("c") as cluster:
        assert authn.check_token(cluster.session).username == "alice"
    assert {find_cluster("c").token} == server.good
    assert find_cluster("c").password == "right-password"
    with Cluster.load("c") as cluster:
        authn.check_token(cluster.session)
    assert server.logins == 1


@pytest.mark.process
def test_log_records_have_no_secrets(local, make_job, caplog):
    """Ours neither, nor those of the library that sends requests."""
    caplog.set_level(logging.DEBUG)
    with Cluster(local.uri, user=local.user, password=local.password) as cluster:
        token = cluster.session.token
        extra = authn.create_application_token(cluster.session)
        authn.revoke_token(cluster.session, extra)
        remote = cluster.submit(make_job("echo hello"))
        remote.wait(timeout=60)
        assert list(remote.logs()) == ["hello"]
        uris = tasks.log_locations(cluster.session, tasks.TaskAttempt(remote.key, 0, "main", 0, 0))
        cluster.logout()
    secrets = [local.password, token, extra, uris["all"].partition("token=")[2]]
    reported = [r for r in caplog.records if r.name.startswith(("openpai.core.rest", "urllib3"))]
    assert len(reported) > 10
    for record in reported:
        assert not any(secret in record.getMessage() for secret in secrets), record.name
    for shown in (repr(cluster), repr(cluster.session), repr(vars(remote))):
        assert not any(secret in shown for secret in secrets)
